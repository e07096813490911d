import ArgumentParser
import Foundation
import Pipeline
import Volumes

struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Convert a volume, or a box of it, to another format.",
        discussion: """
            The ending of the output decides its format: .tif an ImageJ stack (OME-TIFF for other types or beyond \
            4 GB), .h5 a compressed dataset (/data, or what stands after a colon), .zarr a multi-scale OME-Zarr image, \
            or labels with :labels/NAME, .nii and .nii.gz NIfTI, .mrc MRC. Voxel size and unit go along. It runs slab \
            by slab, in memory that does not grow with the volume.

            Example:
              segment convert sample-data/train.tif train.h5:/raw --crop 0:16,:,:
            """)

    @Argument(help: "The volume, such as a.tif, b.h5:/raw or c.zarr.", completion: .file())
    var input: String

    @Argument(help: "The new file.", completion: .file())
    var output: String

    @Option(
        help: ArgumentHelp(
            "A box of the volume; numbers may be left out, as in :,100:200,:.", valueName: "z0:z1,y0:y1,x0:x1"))
    var crop: String?

    @Option(help: "The channel, from 0, of a file that has several.")
    var channel: Int?

    @Option(help: "The time point, from 0, of a file that has several.")
    var time: Int?

    @Option(
        help: ArgumentHelp(
            "The new type, such as uint16; a value that does not fit ends the conversion.", valueName: "type"))
    var dtype: ElementType?

    @Option(help: ArgumentHelp("OME-Zarr's version: 0.5 (Zarr 3) or 0.4 (Zarr 2).", valueName: "version"))
    var ngff: OMEZarrVersion = .v0_5

    @Option(help: "Threads on the processor (default: as many as it has).")
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1, found \(threads)") }
        if let crop, CropRange(crop) == nil {
            throw ValidationError("--crop takes z0:z1,y0:y1,x0:x1, found '\(crop)'")
        }
        guard SourceLocation(input, relativeTo: ".").path != SourceLocation(output, relativeTo: ".").path else {
            throw ValidationError("the output would overwrite the input \(input)")
        }
    }

    func run() throws {
        let folder = FileManager.default.currentDirectoryPath
        var source = SourceLocation(input, relativeTo: folder)
        source.selection = VolumeSelection(channel: channel, time: time)
        let conversion = Conversion(
            source: source, target: SourceLocation(output, relativeTo: folder), crop: crop.flatMap(CropRange.init),
            elementType: dtype, version: ngff, threads: threads)
        let interrupt = Interrupt()
        interrupt.listen()
        let progress = ProgressDisplay()
        let result: Conversion.Result
        do {
            result = try conversion.run(
                by: thisProgram, shouldStop: { interrupt.isRequested },
                report: { progress.show(fraction: $0, of: "convert") })
        } catch is Interruption {
            Console.complain("stopped; nothing is left of \(output)")
            throw ExitCode(130)
        }
        progress.end()
        Console.say("\(result.shape) voxels of \(result.elementType.rawValue)   \(output)")
    }
}

extension ElementType: ExpressibleByArgument {}
extension OMEZarrVersion: ExpressibleByArgument {}
