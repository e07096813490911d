import Foundation
import Volumes

/// Labels that cover the same voxels of one image: nobody can tell which of them counts.
enum LabelOverlap {
    /// A fault for each two entries whose boxes meet.
    ///
    /// - Parameter extent: of a file by its headers; nil where they cannot be read. Only files of entries that share an
    ///   image are asked for.
    static func find(
        among entries: [TrainingEntry], extent: (SourceLocation, Ingest.Role) -> LabelPlacement.Extent?
    ) -> [FileFault] {
        Dictionary(grouping: entries.indices) { Image(entries[$0].images) }.values.filter { $0.count > 1 }
            .sorted { $0[0] < $1[0] }
            .flatMap { overlaps(among: $0.map { entries[$0] }, extent) }
    }

    private static func overlaps(
        among entries: [TrainingEntry], _ extent: (SourceLocation, Ingest.Role) -> LabelPlacement.Extent?
    ) -> [FileFault] {
        guard let image = extent(entries[0].image, .image) else { return [] }
        let boxes = entries.compactMap { entry -> (entry: TrainingEntry, box: Box)? in
            guard let labels = extent(entry.labels, .labels) else { return nil }
            return (try? LabelPlacement.box(of: labels, in: image, at: entry.place)).map { (entry, $0) }
        }
        return boxes.indices.flatMap { second in
            boxes[..<second].compactMap { first in
                let (other, own) = (first, boxes[second])
                guard !own.box.intersection(other.box).isEmpty else { return nil }
                return FileFault(
                    own.entry.labels.subject,
                    "covers \(own.box) of \(own.entry.image.subject), of which \(other.entry.labels.subject) covers "
                        + "\(other.box == own.box ? "the same" : "\(other.box)"); the boxes of an image must not overlap"
                )
            }
        }
    }

    /// What tells images apart, however their files are named.
    private struct Image: Hashable {
        private struct Input: Hashable {
            let path: String
            let dataset: String?
            let selection: VolumeSelection
        }

        private let inputs: [Input]

        init(_ sources: [SourceLocation]) {
            inputs = sources.map {
                Input(path: VolumeListing.real($0.path), dataset: $0.dataset, selection: $0.selection)
            }
        }
    }
}
