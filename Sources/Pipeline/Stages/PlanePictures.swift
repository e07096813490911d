import Reports
import Volumes

/// Cuts the planes of the overview out of a volume's stores.
struct PlanePictures {
    let image: BlockStore
    let votes: BlockStore
    let labels: BlockStore

    /// The planes through the middle, across z, y and x.
    func middlePlanes() throws -> [OverviewPlane] {
        try [.z, .y, .x].map { try picture(of: MiddlePlane($0, of: image.layout.shape)) }
    }

    func picture(of plane: MiddlePlane) throws -> OverviewPlane {
        let values = try plane.pixels(of: image, as: Double.self)
        let (low, high) = contrast(of: values)
        let range = max(high - low, .leastNonzeroMagnitude)
        return OverviewPlane(
            axis: plane.axis, position: plane.position, width: plane.width, height: plane.height,
            gray: values.map { Float(min(1, max(0, ($0 - low) / range))) },
            votes: try plane.pixels(of: votes, as: UInt8.self), labels: try plane.labels(of: labels),
            pixelSize: plane.pixelSize(image.layout.voxelSize))
    }

    /// What is black and white: all but the darkest and the brightest of 500, so that outliers do not darken the picture.
    private func contrast(of values: [Double]) -> (low: Double, high: Double) {
        let sample = stride(from: 0, to: values.count, by: max(1, values.count / 100_000)).map { values[$0] }
            .sorted()
        guard let least = sample.first, let most = sample.last else { return (0, 1) }
        let outliers = sample.count / 500
        let (low, high) = (sample[outliers], sample[sample.count - 1 - outliers])
        return low < high ? (low, high) : (least, most)
    }
}
