import Foundation
import Volumes

/// What the members of an ensemble agree on.
public struct Consensus: Sendable, Equatable {
    /// The logit that the rule comes to (`LogitScale`): it reaches a threshold exactly where the rule holds at that
    /// threshold. The least of the members' for `all`, the k-th highest for k votes, the mean probability's for
    /// `mean`.
    public var logits: Volume<Int16>
    /// How many members' logits reach the threshold.
    public var votes: Volume<UInt8>
    /// 1 where the rule holds, else 0.
    public var mask: Volume<UInt8>
}

/// The consensus of the members' logits, voxel by voxel.
///
/// - Parameters:
///   - logits: one volume a member in `LogitScale`, all of one shape; at most 255.
///   - rule: which votes make a voxel part of the mask. For `mean` it is the mean of the members' probabilities
///     that must reach the threshold's; votes are counted all the same.
/// - Throws: `LabelingFault` where there is no member, shapes differ or the rule asks for more votes than members.
public func consensus(
    of logits: [Volume<Int16>], rule: AgreementRule, threshold: Threshold, threads: Int = 1
) throws -> Consensus {
    let agreed = try consensusLogits(of: logits, rule: rule, threads: threads)
    return Consensus(
        logits: agreed, votes: try votes(of: logits, reaching: threshold, threads: threads),
        mask: try votes(of: [agreed], reaching: threshold, threads: threads))
}

/// How many of the members' logits reach a threshold, voxel by voxel: `Consensus.votes`.
///
/// - Throws: as `consensus(of:rule:threshold:threads:)`.
public func votes(
    of logits: [Volume<Int16>], reaching threshold: Threshold, threads: Int = 1
) throws -> Volume<UInt8> {
    let shape = try commonShape(logits)
    var result = Volume<UInt8>(shape: shape)
    guard let least = Int16(exactly: threshold.units) else { return result }
    result.voxels.withUnsafeMutableBufferPointer { votes in
        inBlocks(of: shape.count, threads: threads) { block in
            for member in logits {
                member.voxels.withUnsafeBufferPointer { logits in
                    for voxel in block { votes[voxel] &+= logits[voxel] >= least ? 1 : 0 }
                }
            }
        }
    }
    return result
}

private func commonShape(_ logits: [Volume<Int16>]) throws -> ZYX<Int> {
    guard let shape = logits.first?.shape else { throw LabelingFault.noMembers }
    guard logits.count <= 255 else { throw LabelingFault.tooManyMembers(logits.count) }
    for (member, volume) in logits.enumerated() where volume.shape != shape {
        throw LabelingFault.shapesDiffer("member 1", shape, "member \(member + 1)", volume.shape)
    }
    return shape
}

/// The logit that a rule comes to, voxel by voxel: `Consensus.logits`.
///
/// - Throws: as `consensus(of:rule:threshold:threads:)`.
public func consensusLogits(
    of logits: [Volume<Int16>], rule: AgreementRule, threads: Int = 1
) throws -> Volume<Int16> {
    let shape = try commonShape(logits)
    let needed = try rule.votesNeeded(of: logits.count)
    if logits.count == 1 { return logits[0] }
    let probabilities = needed == nil ? storedProbabilities : []
    var result = Volume<Int16>(shape: shape)
    result.voxels.withUnsafeMutableBufferPointer { result in
        inBlocks(of: shape.count, threads: threads) { block in
            if let needed {
                rank(needed, of: logits, in: block, result)
            } else {
                mean(of: logits, in: block, probabilities, result)
            }
        }
    }
    return result
}

/// The `needed`-th highest logit: a column of the highest so far, through which each member sinks to its place.
private func rank(
    _ needed: Int, of logits: [Volume<Int16>], in block: Range<Int>, _ result: UnsafeMutableBufferPointer<Int16>
) {
    // The lowest of all are as many steps from the other end.
    let fromTop = needed <= logits.count - needed + 1
    let depth = fromTop ? needed : logits.count - needed + 1
    var columns = [Int16](repeating: fromTop ? .min : .max, count: depth * block.count)
    columns.withUnsafeMutableBufferPointer { columns in
        for member in logits {
            member.voxels.withUnsafeBufferPointer { logits in
                for voxel in 0..<block.count {
                    var sinking = logits[block.lowerBound + voxel]
                    for level in 0..<depth {
                        let kept = columns[level * block.count + voxel]
                        columns[level * block.count + voxel] = fromTop ? max(kept, sinking) : min(kept, sinking)
                        sinking = fromTop ? min(kept, sinking) : max(kept, sinking)
                    }
                }
            }
        }
        for voxel in 0..<block.count {
            result[block.lowerBound + voxel] = columns[(depth - 1) * block.count + voxel]
        }
    }
}

/// The logit of the mean probability.
private func mean(
    of logits: [Volume<Int16>], in block: Range<Int>, _ probabilities: [Double],
    _ result: UnsafeMutableBufferPointer<Int16>
) {
    var sums = [Double](repeating: 0, count: block.count)
    probabilities.withUnsafeBufferPointer { probabilities in
        for member in logits {
            member.voxels.withUnsafeBufferPointer { logits in
                for voxel in 0..<block.count {
                    sums[voxel] += probabilities[Int(UInt16(bitPattern: logits[block.lowerBound + voxel]))]
                }
            }
        }
    }
    for voxel in 0..<block.count {
        let mean = sums[voxel] / Double(logits.count)
        let isOutside = logits[0].voxels[block.lowerBound + voxel] == LogitScale.outside
        result[block.lowerBound + voxel] =
            isOutside ? LogitScale.outside : LogitScale.encode(Float(log(mean) - log1p(-mean)))
    }
}

/// The probability of each stored logit, by its bit pattern.
let storedProbabilities: [Double] = (0..<65_536).map {
    LogitScale.probability(Double(Int16(bitPattern: UInt16($0))) / Double(LogitScale.unitsPerLogit))
}

/// Calls `body` with blocks that stay in the processor's cache while each member is read.
private func inBlocks(of count: Int, threads: Int, _ body: (Range<Int>) -> Void) {
    let pieces = evenRanges(of: 0..<count, parts: threads)
    inParallel(pieces.count) { part in
        for start in stride(from: pieces[part].lowerBound, to: pieces[part].upperBound, by: 16_384) {
            body(start..<min(start + 16_384, pieces[part].upperBound))
        }
    }
}
