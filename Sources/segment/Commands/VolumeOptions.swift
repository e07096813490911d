import ArgumentParser
import Foundation
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
            "Nanometres along z, y, x, as 40,8,8 or '2,0.8,0.8 µm', in place of what the file says or leaves out.",
            valueName: "z,y,x"),
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

extension VoxelSize {
    /// `40,8,8`: nanometres along z, y, x, where no unit is given; `2,0.8,0.8 µm`: one unit for all; `10` is the same
    /// along each.
    ///
    /// - Throws: `ValidationError`
    static func argument(_ text: String) throws -> VoxelSize {
        let texts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        // What has no unit has that of the last, but only where none but the last has one.
        let isBare = texts.dropLast().allSatisfy { Double($0.trimmingCharacters(in: .whitespaces)) != nil }
        let last = texts.last.flatMap { Length($0, bare: .nanometer) }?.unit
        // From an atom to a kilometre.
        let sides = texts.map { Length($0, bare: isBare ? last : nil) }
            .map { $0.flatMap { (0.01...1e12).contains($0.nanometers) ? $0 : nil } }
        guard sides.count == 3 || sides.count == 1, let z = sides[0], let y = sides[sides.count / 2],
            let x = sides[sides.count - 1]
        else {
            throw ValidationError(
                "expected three lengths z,y,x, such as 40,8,8 for nanometres or '2,0.8,0.8 µm', found '\(text)'")
        }
        return VoxelSize(ZYX(z, y, x))
    }
}

extension Length {
    /// `40`, in nanometres, or with a unit: `0.5 µm`.
    ///
    /// - Throws: `ValidationError`
    static func argument(_ text: String) throws -> Length {
        guard let length = Length(text, bare: .nanometer) else {
            throw ValidationError(
                "expected a length above 0, such as 40 for nanometres or '0.5 µm', found '\(text)'")
        }
        return length
    }
}

extension CubicLength {
    /// `0.01`, in µm³, or with a unit: `2000 nm³`.
    ///
    /// - Throws: `ValidationError`
    static func argument(_ text: String) throws -> CubicLength {
        guard let volume = CubicLength(text, bare: .micrometer) else {
            throw ValidationError("expected a volume above 0, such as 0.01 for µm³ or '2000 nm³', found '\(text)'")
        }
        return volume
    }
}
