import Reports
import Volumes

/// Cuts the planes of the overview out of a volume's stores.
struct PlanePictures {
    let image: BlockStore
    let statistics: VolumeStatistics.Summary
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
        // Two and a half standard deviations about the mean: outliers do not darken the picture.
        let low = max(statistics.minimum, statistics.mean - 2.5 * statistics.standardDeviation)
        let high = min(statistics.maximum, statistics.mean + 2.5 * statistics.standardDeviation)
        let range = max(high - low, .leastNonzeroMagnitude)
        let gray = try image.read(box).converted(to: Double.self).voxels.map {
            Float(min(1, max(0, ($0 - low) / range)))
        }
        return OverviewPlane(
            axis: axis, position: position, width: width, height: height, gray: gray,
            votes: try votes.read(box).volume(of: UInt8.self).voxels,
            labels: try labels.read(box).volume(of: UInt32.self).voxels, pixelSize: pixel)
    }
}
