import ArgumentParser
import Volumes

/// What every command on volume files takes.
struct ReadingOptions: ParsableArguments {
    @Flag(help: "Open files outside its folder that an HDF5 file names.")
    var allowExternalLinks = false
}

/// The voxel size of a command's input.
struct VoxelSizeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Nanometres along z, y, x, in place of what the file says or leaves out.", valueName: "z,y,x"),
        transform: VoxelSize.argument)
    var voxelSize: VoxelSize?
}

/// The volume that a command writes.
struct VolumeOutputOptions: ParsableArguments {
    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("The volume to write, .tif, .h5, .zarr, .nii, .nii.gz or .mrc.", valueName: "file"))
    var output: String

    @Flag(help: "Replace what is at the output's place already.")
    var overwrite = false

    func validate() throws { try Self.check(output, "--output") }

    /// - Throws: `ValidationError` for a path that no volume can be written to.
    static func check(_ path: String, _ option: String) throws {
        guard VolumeFile.isWritable(path) else {
            throw ValidationError("\(option) must end in .tif, .h5, .zarr, .nii, .nii.gz or .mrc, found \(path)")
        }
    }
}
