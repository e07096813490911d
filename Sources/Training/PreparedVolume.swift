import Inference
import Labeling
import Volumes

/// An annotated volume with all that is computed once: labels by size, weights, and where to sample.
public struct PreparedVolume: Sendable {
    public let annotation: AnnotatedVolume
    public let labels: RankedLabels
    public let border: BorderWeights
    /// `ForegroundTarget` of the labels.
    let foreground: Volume<UInt8>

    /// Of the network.
    let dimensions: Int

    /// - Parameter dimensions: of the network.
    public init(_ annotation: AnnotatedVolume, weighting: BorderWeighting, dimensions: Int = 3, threads: Int) {
        self.annotation = annotation
        self.dimensions = dimensions
        // Labels that do not count are none.
        labels = RankedLabels(annotation.countedLabels(in: Box(annotation.shape)))
        foreground = ForegroundTarget.volume(labels, dimensions: dimensions, threads: threads)
        border = BorderWeights(
            labels: labels.ranks, target: foreground,
            counts: annotation.counts, voxelSize: annotation.voxelSize, weighting: weighting,
            dimensions: dimensions, threads: threads)
    }

    public var shape: ZYX<Int> { annotation.shape }

    /// What a network should answer in `box`, which lies within the volume.
    func answers(_ channels: [OutputChannel], in box: Box) -> [ChannelAnswer] {
        let margin = LabelledBox.margin(of: channels, dimensions: dimensions)
        let outer = box.grown(by: margin)
        let labelled = LabelledBox(
            ranks: labels.ranks.padded(to: outer), labels: labels.labels, codes: border.codes.padded(to: outer),
            levels: border.levels, dimensions: dimensions, margin: margin)
        return channels.map(labelled.answer)
    }
}
