import Reports
import Volumes

/// Cuts the planes of the overview out of a volume's stores.
package struct PlanePictures {
    let image: BlockStore
    let votes: BlockStore
    let labels: BlockStore
    /// A voxel in the middle of the largest object; nil where there is no object.
    let largest: ZYX<Int>?

    package init(image: BlockStore, votes: BlockStore, labels: BlockStore, largest: ZYX<Int>?) {
        self.image = image
        self.votes = votes
        self.labels = labels
        self.largest = largest
    }

    /// Planes across z, y and x.
    package func planes() throws -> [OverviewPlane] {
        try [OverviewPlane.Axis.z, .y, .x].map { axis in
            let (plane, objects) = try plane(across: axis)
            return try picture(of: plane, objects)
        }
    }

    /// The plane through the middle, or where it holds no object, through the largest object; and the labels in it.
    func plane(across axis: OverviewPlane.Axis) throws -> (plane: PicturePlane, objects: [UInt32]) {
        let shape = labels.layout.shape
        let middle = PicturePlane(axis, of: shape)
        let objects = try middle.labels(of: labels)
        guard let largest, objects.allSatisfy({ $0 == 0 }) else { return (middle, objects) }
        let other = PicturePlane(axis, of: shape, through: largest)
        return (other, try other.labels(of: labels))
    }

    /// - Parameter objects: the labels in the plane.
    func picture(of plane: PicturePlane, _ objects: [UInt32]) throws -> OverviewPlane {
        let values = try plane.pixels(of: image, as: Double.self)
        let (low, high) = contrast(of: values)
        let range = max(high - low, .leastNonzeroMagnitude)
        return OverviewPlane(
            axis: plane.axis, position: plane.position, width: plane.width, height: plane.height,
            gray: values.map { Float(min(1, max(0, ($0 - low) / range))) },
            votes: try plane.pixels(of: votes, as: UInt8.self), labels: objects,
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
