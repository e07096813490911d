import Foundation
import Volumes

/// One row an object: size, place and how far the members of the ensemble agreed on it.
///
/// A voxel's position in µm is its index times the voxel size, so the first voxel's centre is the origin, as in
/// OME-Zarr and scikit-image. Boxes are half-open: `bbox_z1` is one past the last section.
public struct ObjectTable: Sendable, Equatable {
    public struct Row: Sendable, Equatable {
        public var label: UInt32
        public var voxels: Int
        /// The mean position of the voxels, in voxels.
        public var centroid: ZYX<Double>
        public var box: Box
        /// The mean votes of the voxels; nil where there were none to count.
        public var meanVotes: Double?
        /// The voxels that not all members voted for; 0 where there were no votes.
        public var disputedVoxels: Int
        /// nil where objects have no classes.
        public var classLabel: UInt32?

        public init(
            label: UInt32, voxels: Int, centroid: ZYX<Double>, box: Box, meanVotes: Double?,
            disputedVoxels: Int = 0, classLabel: UInt32? = nil
        ) {
            self.label = label
            self.voxels = voxels
            self.centroid = centroid
            self.box = box
            self.meanVotes = meanVotes
            self.disputedVoxels = disputedVoxels
            self.classLabel = classLabel
        }
    }

    /// Ordered by label; labels without a voxel have no row.
    public var rows: [Row]
    public var voxelSize: VoxelSize

    /// The table as CSV (RFC 4180, but lines end in a line feed), numbers to ten digits.
    public func csv() -> String {
        let micrometers = voxelSize.in(.micrometer)
        let volume = micrometers.z * micrometers.y * micrometers.x
        let hasClasses = rows.contains { $0.classLabel != nil }
        var text = (Self.columns + (hasClasses ? ["class"] : [])).joined(separator: ",") + "\n"
        for row in rows {
            let ends = interleaved(row.box)
            let sizes = [micrometers.z, micrometers.z, micrometers.y, micrometers.y, micrometers.x, micrometers.x]
            var fields = ["\(row.label)", "\(row.voxels)", decimal(Double(row.voxels) * volume)]
            fields += row.centroid.array.map(decimal)
            fields += row.centroid.zip(micrometers, *).array.map(decimal)
            fields += ends.map { "\($0)" }
            fields += zip(ends, sizes).map { decimal(Double($0) * $1) }
            fields.append(row.meanVotes.map(decimal) ?? "")
            let agreed = Double(row.voxels - row.disputedVoxels) / Double(row.voxels)
            fields.append(row.meanVotes == nil ? "" : decimal(agreed))
            if hasClasses { fields.append(row.classLabel.map { "\($0)" } ?? "") }
            text += fields.joined(separator: ",") + "\n"
        }
        return text
    }

    static let columns = [
        "label_id", "voxels", "volume_um3",
        "centroid_z", "centroid_y", "centroid_x", "centroid_z_um", "centroid_y_um", "centroid_x_um",
        "bbox_z0", "bbox_z1", "bbox_y0", "bbox_y1", "bbox_x0", "bbox_x1",
        "bbox_z0_um", "bbox_z1_um", "bbox_y0_um", "bbox_y1_um", "bbox_x0_um", "bbox_x1_um",
        "mean_votes", "unanimous_fraction",
    ]

    private func interleaved(_ box: Box) -> [Int] {
        [box.origin.z, box.end.z, box.origin.y, box.end.y, box.origin.x, box.end.x]
    }

    /// Ten significant digits, always with a point and never in a locale's way.
    private func decimal(_ value: Double) -> String {
        guard value != 0 else { return "0.0" }
        let scale = pow(10, 9 - floor(log10(abs(value))))
        return "\((value * scale).rounded() / scale)"
    }
}

extension ObjectTable {
    /// Gathers the table block by block, so that neither labels nor votes need be in memory as a whole.
    public struct Accumulator: Sendable {
        private var sums: [Sums]
        private var hasVotes = true
        private let members: Int

        /// - Parameters:
        ///   - objects: labels are 1 to this.
        ///   - members: the most votes there can be.
        public init(objects: Int, members: Int = 0) {
            self.members = members
            sums = [Sums](repeating: Sums(), count: objects)
        }

        /// Adds the voxels of a block that starts at `origin`; blocks may come in any order, each voxel once.
        ///
        /// - Parameter votes: of the same shape; nil where there are none, and then no object has mean votes.
        /// - Throws: `LabelingFault` where shapes differ or a label is beyond the objects.
        public mutating func add(_ labels: Volume<UInt32>, votes: Volume<UInt8>?, at origin: ZYX<Int> = .zero)
            throws
        {
            if let votes, votes.shape != labels.shape {
                throw LabelingFault.shapesDiffer("labels", labels.shape, "votes", votes.shape)
            }
            hasVotes = hasVotes && votes != nil
            let beyond = labels.voxels.withUnsafeBufferPointer { voxels in
                sums.withUnsafeMutableBufferPointer { sums in
                    let votes = votes?.voxels ?? []
                    return votes.withUnsafeBufferPointer { votes in
                        addRows(
                            of: Box(origin: origin, shape: labels.shape), voxels, votes, members: members, to: sums)
                    }
                }
            }
            if let beyond { throw LabelingFault.labelBeyondObjects(label: beyond, objects: sums.count) }
        }

        /// The table of all that was added.
        ///
        /// - Parameter classes: that of label k at k - 1.
        public func finish(voxelSize: VoxelSize, classes: [UInt32]? = nil) -> ObjectTable {
            let rows = sums.enumerated().compactMap { index, sums in
                var row = sums.row(label: UInt32(index + 1), hasVotes: hasVotes)
                row?.classLabel = classes?[index]
                return row
            }
            return ObjectTable(rows: rows, voxelSize: voxelSize)
        }
    }
}

/// Adds every stretch of one label along x; returns the first label that has no place.
private func addRows(
    of box: Box, _ labels: UnsafeBufferPointer<UInt32>, _ votes: UnsafeBufferPointer<UInt8>, members: Int,
    to sums: UnsafeMutableBufferPointer<Sums>
) -> UInt32? {
    let (origin, shape) = (box.origin, box.shape)
    for z in 0..<shape.z {
        for y in 0..<shape.y {
            let row = (z * shape.y + y) * shape.x
            var x = 0
            while x < shape.x {
                let label = labels[row + x]
                var end = x + 1
                while end < shape.x, labels[row + end] == label { end += 1 }
                if label != 0 {
                    guard Int(label) <= sums.count else { return label }
                    var (stretchVotes, disputed) = (0, 0)
                    if !votes.isEmpty {
                        for voxel in row + x..<row + end {
                            stretchVotes &+= Int(votes[voxel])
                            disputed &+= Int(votes[voxel]) < members ? 1 : 0
                        }
                    }
                    sums[Int(label) - 1].add(
                        z: origin.z + z, y: origin.y + y, x: origin.x + x..<origin.x + end,
                        votes: stretchVotes, disputed: disputed)
                }
                x = end
            }
        }
    }
    return nil
}

/// What is known of an object so far: 72 bytes, for there may be many millions.
private struct Sums: Sendable {
    var voxels = 0
    var position = ZYX(repeating: 0)
    var votes = 0
    var disputed = 0
    var low = ZYX(repeating: Int32.max)
    var high = ZYX(repeating: Int32(-1))

    mutating func add(z: Int, y: Int, x: Range<Int>, votes: Int, disputed: Int) {
        voxels += x.count
        position.z += z * x.count
        position.y += y * x.count
        position.x += (x.lowerBound + x.upperBound - 1) * x.count / 2
        self.votes += votes
        self.disputed += disputed
        low = ZYX(min(low.z, Int32(z)), min(low.y, Int32(y)), min(low.x, Int32(x.lowerBound)))
        high = ZYX(max(high.z, Int32(z)), max(high.y, Int32(y)), max(high.x, Int32(x.upperBound - 1)))
    }

    func row(label: UInt32, hasVotes: Bool) -> ObjectTable.Row? {
        guard voxels > 0 else { return nil }
        return ObjectTable.Row(
            label: label, voxels: voxels,
            centroid: position.map { Double($0) / Double(voxels) },
            box: Box(from: low.map(Int.init), to: high.map { Int($0) + 1 }),
            meanVotes: hasVotes ? Double(votes) / Double(voxels) : nil, disputedVoxels: hasVotes ? disputed : 0)
    }
}
