/// How many voxels are read of one volume, since a header of a few bytes can claim any number.
public enum VolumeLimit {
    /// Some 26,000 along each axis.
    public static let voxels = 1 << 44

    /// - Parameter title: Names the volume in the fault.
    /// - Throws: `FileFault` where a shape has more voxels.
    public static func check(_ shape: ZYX<Int>, of title: String) throws {
        let (plane, overflow) = shape.y.multipliedReportingOverflow(by: shape.x)
        let (count, isBeyond) = plane.multipliedReportingOverflow(by: shape.z)
        guard overflow || isBeyond || count > voxels else { return }
        throw FileFault(
            title,
            "states the shape \(shape); a volume of up to \(grouped(voxels)) voxels is read, of a larger one a box")
    }
}
