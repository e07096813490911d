import Volumes

/// The sections along z of a labelled volume that have labels.
struct LabelledSections: Codable, Equatable, Sendable {
    let count: Int
    /// Sections in the longest run of such.
    let thickness: Int
    /// All sections of the volume.
    let depth: Int
    /// The share of 0 in those that have labels, where the annotation counts.
    let zeros: Double

    init(count: Int, thickness: Int, depth: Int, zeros: Double) {
        self.count = count
        self.thickness = thickness
        self.depth = depth
        self.zeros = zeros
    }

    /// - Parameters:
    ///   - voxels: those with a label, of each section.
    ///   - size: voxels of a section.
    init(voxels: [Int], size: Int) {
        var (count, run, thickness) = (0, 0, 0)
        for voxels in voxels {
            run = voxels > 0 ? run + 1 : 0
            count += voxels > 0 ? 1 : 0
            thickness = max(thickness, run)
        }
        self.init(
            count: count, thickness: thickness, depth: voxels.count,
            zeros: 1 - Double(voxels.reduce(0, +)) / Double(max(1, count * size)))
    }

    init(of labels: Volume<UInt32>) {
        let size = labels.shape.y * labels.shape.x
        self.init(
            voxels: (0..<labels.shape.z).map { z in
                labels.voxels[z * size..<(z + 1) * size].count { $0 != 0 }
            }, size: size)
    }

    /// Whether single ones have labels, with others between them that have none.
    var areSingle: Bool { count > 0 && thickness <= 2 && count * 2 <= depth }

    /// Whether objects fill those that have labels, but there are others.
    var areFilledInPart: Bool { count > 0 && zeros <= 0.1 && count * 10 < depth * 9 }

    /// Why sections without labels may not be what they count as, where all annotation counts; nil for no reason.
    var doubt: String? {
        guard areSingle || areFilledInPart else { return nil }
        return
            "\(count) of \(depth) sections have labels, and the others count as outside of all objects; where they are "
            + "not annotated, write 'unlabelled: sections', or 'unlabelled: 0' where no 0 is"
    }
}
