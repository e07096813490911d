import Volumes

/// Where labels lie in their image: all over it, or in a box of it.
enum LabelPlacement {
    /// - Parameter place: where the pipeline file puts the first voxel, in voxels of the image; nil for what the files say.
    /// - Throws: `FileFault` where the labels reach beyond the image, lie between its voxels, or have another shape and
    ///   nothing says where they belong.
    static func box(of labels: Extent, in image: Extent, at place: ZYX<Int>?) throws -> Box {
        let origin: ZYX<Int>
        if let place {
            origin = place
        } else if labels.shape == image.shape && (labels.position == nil || image.position == nil) {
            return Box(image.shape)
        } else if let position = labels.position {
            origin = try voxel(at: position, labels, image)
        } else {
            let problem = "has shape \(labels.shape), but its image \(image.title) has \(image.shape)"
            guard Box(image.shape).contains(Box(labels.shape)) else { throw FileFault(labels.title, problem) }
            throw FileFault(
                labels.title,
                problem + "; where labels cover a box of the image, say where it begins, in voxels: at: [0, 0, 0]")
        }
        let box = Box(origin: origin, shape: labels.shape)
        guard Box(image.shape).contains(box) else {
            throw FileFault(
                labels.title, "lies at \(box) of its image \(image.title), and reaches beyond its \(image.shape)")
        }
        return box
    }

    /// The voxel of the image that is at a position in nanometres. Some files tell the middle of their first voxel, others
    /// its corner: where labels and image differ in that, both mean the voxel around or behind the place.
    private static func voxel(at position: ZYX<Double>, _ labels: Extent, _ image: Extent) throws -> ZYX<Int> {
        guard let size = image.voxelSize else {
            throw FileFault(image.title, "has no voxel size, which the place of its labels is counted in")
        }
        let place = position.zip(size.nanometers, /)
        let origin = (image.position ?? ZYX(0, 0, 0)).zip(size.nanometers, /)
        let half = ZYX(repeating: 0.5)
        if let shift = voxel(place.zip(origin, -)) { return shift }
        if let corner = voxel(place), let middle = voxel(origin.zip(half, -)) { return corner - middle }
        if let middle = voxel(place.zip(half, -)), let corner = voxel(origin) { return middle - corner }
        throw FileFault(
            labels.title,
            "is said to lie at \(position.map { "\($0)" }.array.joined(separator: ", ")) nm, which is between voxels of "
                + "its image \(image.title) of \(size); give its place in voxels: at: [z, y, x]")
    }

    /// A place counted in voxels as whole numbers; nil where it is between voxels.
    private static func voxel(_ place: ZYX<Double>) -> ZYX<Int>? {
        let whole = place.map { $0.rounded() }
        let isWhole = place.zip(whole) { abs($0 - $1) < 0.1 && abs($1) < 1e9 }
        return isWhole.array.allSatisfy { $0 } ? whole.map { Int($0) } : nil
    }

    /// What is known of a volume without its voxels.
    struct Extent {
        var title: String
        var shape: ZYX<Int>
        var voxelSize: VoxelSize?
        /// Of the middle of the first voxel, in nanometres.
        var position: ZYX<Double>?
    }
}

extension IngestedVolume {
    var extent: LabelPlacement.Extent {
        LabelPlacement.Extent(title: title, shape: shape, voxelSize: voxelSize, position: position)
    }
}
