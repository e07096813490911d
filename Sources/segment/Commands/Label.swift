import ArgumentParser
import Foundation
import Labeling
import Pipeline
import Volumes

struct Label: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Label the connected components of a mask: the labelling stage alone.",
        discussion: """
            Every voxel that is not 0 is inside. The ending of the output decides its format: .h5 writes /labels, \
            .tif an ImageJ stack of 16 bits (OME-TIFF of 32 bits beyond 65,535 objects), .zarr labels/objects, .nii and \
            .nii.gz NIfTI, .mrc MRC (up to 65,535 objects). file.h5:/NAME and image.zarr:labels/NAME add to what is there.

            Example:
              segment label sample-data/test-labels.h5 -o objects.tif
            """)

    @Argument(help: "The mask, such as a.tif, b.h5:/mask or c.zarr.", completion: .file())
    var mask: String

    @OptionGroup var written: VolumeOutputOptions

    @Option(
        help: "Neighbours of a voxel: 6 (faces), 18 (edges too), 26 (corners too), or within its section 4 or 8.")
    var connectivity: Connectivity = .faces

    @Option(help: "Objects of fewer voxels are dropped.")
    var minVoxels = 0

    @OptionGroup var reading: ReadingOptions

    @OptionGroup var resources: ResourceOptions

    func validate() throws {
        guard minVoxels >= 0 else { throw ValidationError("--min-voxels must be at least 0, found \(minVoxels)") }
        let (mask, output) = (
            SourceLocation(mask, relativeTo: "."), SourceLocation(written.output, relativeTo: ".")
        )
        guard mask.path != output.path || mask.dataset != output.dataset else {
            throw ValidationError("--output would overwrite the mask \(self.mask)")
        }
    }

    func run() throws {
        let files = resources.volumes(reading)
        defer { files.remove() }
        let count = try files.label(
            mask: mask, to: written.output, connectivity: connectivity, minimumVoxels: minVoxels,
            replaces: written.overwrite)
        Console.say("\(grouped(count)) object\(count == 1 ? "" : "s")   \(written.output)")
    }
}

extension Connectivity: ExpressibleByArgument {}
