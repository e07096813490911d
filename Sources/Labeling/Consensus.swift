import Volumes

/// What the members of an ensemble agree on.
public struct Consensus: Sendable, Equatable {
    /// The least of the members' logits (`LogitScale`): above t exactly where all members are.
    public var minimum: Volume<Int16>
    /// How many members find the voxel inside.
    public var votes: Volume<UInt8>
    /// 1 where the rule holds, else 0.
    public var mask: Volume<UInt8>
}

/// The consensus of the members' logits, voxel by voxel.
///
/// A member votes for a voxel where its logit reaches the threshold's.
///
/// - Parameters:
///   - logits: one volume a member in `LogitScale`, all of one shape; at most 255.
///   - rule: which votes make a voxel part of the mask. For `mean` it is the mean of the members' probabilities
///     that must reach the threshold's; votes are counted all the same.
/// - Throws: `LabelingFault` where there is no member, shapes differ or the rule asks for more votes than members.
public func consensus(
    of logits: [Volume<Int16>], rule: AgreementRule, threshold: Threshold, threads: Int = 1
) throws -> Consensus {
    guard let shape = logits.first?.shape else { throw LabelingFault.noMembers }
    guard logits.count <= 255 else { throw LabelingFault.tooManyMembers(logits.count) }
    for (member, volume) in logits.enumerated() where volume.shape != shape {
        throw LabelingFault.shapesDiffer("member 1", shape, "member \(member + 1)", volume.shape)
    }
    let needed = try rule.votesNeeded(of: logits.count)
    var result = Consensus(
        minimum: logits[0], votes: Volume(shape: shape), mask: Volume(shape: shape))
    let probabilities = needed == nil ? MeanProbability(threshold, members: logits.count) : nil

    result.minimum.voxels.withUnsafeMutableBufferPointer { minimum in
        result.votes.voxels.withUnsafeMutableBufferPointer { votes in
            result.mask.voxels.withUnsafeMutableBufferPointer { mask in
                let pieces = evenRanges(of: 0..<shape.count, parts: threads)
                inParallel(pieces.count) { part in
                    // Blocks stay in the processor's cache while each member is added.
                    for start in stride(from: pieces[part].lowerBound, to: pieces[part].upperBound, by: 16_384) {
                        let block = start..<min(start + 16_384, pieces[part].upperBound)
                        for member in logits {
                            add(member, in: block, threshold.units, minimum, votes)
                        }
                        if let needed {
                            keep(votes, reaching: UInt8(needed), in: block, mask)
                        } else {
                            probabilities?.keep(logits, in: block, mask)
                        }
                    }
                }
            }
        }
    }
    return result
}

private func add(
    _ member: Volume<Int16>, in block: Range<Int>, _ threshold: Int32,
    _ minimum: UnsafeMutableBufferPointer<Int16>, _ votes: UnsafeMutableBufferPointer<UInt8>
) {
    guard threshold <= Int32(Int16.max) else { return lower(minimum, to: member, in: block) }
    let least = Int16(threshold)
    member.voxels.withUnsafeBufferPointer { logits in
        for voxel in block {
            let logit = logits[voxel]
            minimum[voxel] = min(minimum[voxel], logit)
            votes[voxel] &+= logit >= least ? 1 : 0
        }
    }
}

private func lower(_ minimum: UnsafeMutableBufferPointer<Int16>, to member: Volume<Int16>, in block: Range<Int>) {
    member.voxels.withUnsafeBufferPointer { logits in
        for voxel in block { minimum[voxel] = min(minimum[voxel], logits[voxel]) }
    }
}

private func keep(
    _ votes: UnsafeMutableBufferPointer<UInt8>, reaching needed: UInt8, in block: Range<Int>,
    _ mask: UnsafeMutableBufferPointer<UInt8>
) {
    for voxel in block { mask[voxel] = votes[voxel] >= needed ? 1 : 0 }
}

/// The probabilities of all stored logits, to compare their mean with a threshold.
private struct MeanProbability {
    private let probabilities: [Double]
    private let leastSum: Double

    init(_ threshold: Threshold, members: Int) {
        probabilities = (0..<65_536).map { pattern in
            let logit = Double(Int16(bitPattern: UInt16(pattern))) / Double(LogitScale.unitsPerLogit)
            return Threshold(logit: logit).probability
        }
        // Less a rounding error, so that members that all sit at the threshold reach it.
        leastSum = threshold.probability * Double(members) * (1 - 1e-14)
    }

    func keep(_ logits: [Volume<Int16>], in block: Range<Int>, _ mask: UnsafeMutableBufferPointer<UInt8>) {
        var sums = [Double](repeating: 0, count: block.count)
        sums.withUnsafeMutableBufferPointer { sums in
            probabilities.withUnsafeBufferPointer { probabilities in
                for member in logits {
                    member.voxels.withUnsafeBufferPointer { logits in
                        for voxel in block {
                            sums[voxel - block.lowerBound] += probabilities[Int(UInt16(bitPattern: logits[voxel]))]
                        }
                    }
                }
            }
            for voxel in block { mask[voxel] = sums[voxel - block.lowerBound] >= leastSum ? 1 : 0 }
        }
    }
}
