import Reports
import Volumes

/// Cuts the planes of the overview out of a volume's stores.
struct PlanePictures {
    let image: BlockStore
    let votes: BlockStore
    let labels: BlockStore

    /// The planes through the middle, across z, y and x.
    func middlePlanes() throws -> [OverviewPlane] {
        let shape = image.layout.shape
        let size = image.layout.voxelSize?.nanometers ?? ZYX(repeating: 1)
        let middle = shape.map { $0 / 2 }
        return [
            try plane(
                .z, middle.z, Box(origin: ZYX(middle.z, 0, 0), shape: ZYX(1, shape.y, shape.x)),
                width: shape.x, height: shape.y, pixel: (size.x, size.y)),
            try plane(
                .y, middle.y, Box(origin: ZYX(0, middle.y, 0), shape: ZYX(shape.z, 1, shape.x)),
                width: shape.x, height: shape.z, pixel: (size.x, size.z)),
            try plane(
                .x, middle.x, Box(origin: ZYX(0, 0, middle.x), shape: ZYX(shape.z, shape.y, 1)),
                width: shape.y, height: shape.z, pixel: (size.y, size.z)),
        ]
    }

    private func plane(
        _ axis: OverviewPlane.Axis, _ position: Int, _ box: Box, width: Int, height: Int,
        pixel: (horizontal: Double, vertical: Double)
    ) throws -> OverviewPlane {
        let values = try image.read(box).converted(to: Double.self).voxels
        let (low, high) = contrast(of: values)
        let range = max(high - low, .leastNonzeroMagnitude)
        let gray = values.map { Float(min(1, max(0, ($0 - low) / range))) }
        return OverviewPlane(
            axis: axis, position: position, width: width, height: height, gray: gray,
            votes: try votes.read(box).volume(of: UInt8.self).voxels,
            labels: try labels.read(box).volume(of: UInt32.self).voxels, pixelSize: pixel)
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
