import ArgumentParser
import Foundation
import Pipeline
import Volumes

struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Convert a volume, or a box of it, to another format.",
        discussion: """
            The ending of the output decides its format: .tif an ImageJ stack (OME-TIFF for other types than uint8, \
            uint16 and float32, and beyond 4 GB), .h5 a compressed dataset (/data, or what stands after a colon), .zarr a \
            multi-scale OME-Zarr image, or labels with :labels/NAME, .nii and .nii.gz NIfTI, .mrc MRC. Folders that are \
            missing are made. Voxel size and unit go along, and but for TIFF the place of a box. It runs slab by slab, in \
            memory that does not grow with the volume.

            What is there already stays, unless --overwrite. file.h5:/NAME adds a dataset to a file that is there, \
            image.zarr:labels/NAME labels to an image of the same shape; all else in it stays, with --overwrite too. An \
            output without a colon stands for the whole file. A conversion that is stopped or fails changes nothing.

            Example:
              segment convert sample-data/train.tif train.h5:/raw --crop 0:16,:,:
            """)

    @Argument(help: "The volume, such as a.tif, b.h5:/raw or c.zarr.", completion: .file())
    var input: String

    @Argument(help: "The new file, or FILE.h5:/NAME or IMAGE.zarr:labels/NAME.", completion: .file())
    var output: String

    @Option(
        help: ArgumentHelp(
            "A box of the volume; numbers may be left out, as in :,100:200,:.", valueName: "z0:z1,y0:y1,x0:x1"))
    var crop: String?

    @Option(help: "The channel, from 0, of a file that has several.")
    var channel: Int?

    @Option(help: "The time point, from 0, of a file that has several.")
    var time: Int?

    @OptionGroup var told: VoxelSizeOptions

    @Option(
        help: ArgumentHelp(
            "The new type, such as uint16; a value that does not fit ends the conversion.", valueName: "type"))
    var dtype: ElementType?

    @Flag(help: "Replace what is there already.")
    var overwrite = false

    @Option(
        help: ArgumentHelp(
            "OME-Zarr's version: 0.5 (Zarr 3) or 0.4 (Zarr 2) (default: 0.5, or the container's).",
            valueName: "version"))
    var ngff: OMEZarrVersion?

    @OptionGroup var reading: ReadingOptions

    @Option(help: "Threads on the processor (default: as many as it has).")
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1, found \(threads)") }
        if let crop, CropRange(crop) == nil {
            throw ValidationError("--crop takes z0:z1,y0:y1,x0:x1, found '\(crop)'")
        }
    }

    func run() throws {
        let folder = FileManager.default.currentDirectoryPath
        var source = SourceLocation(input, relativeTo: folder)
        source.selection = VolumeSelection(
            channel: channel, time: time, allowsExternalLinks: reading.allowExternalLinks)
        let conversion = Conversion(
            source: source, target: SourceLocation(output, relativeTo: folder), crop: crop.flatMap(CropRange.init),
            voxelSize: told.voxelSize, elementType: dtype, replaces: overwrite, version: ngff, threads: threads)
        let interrupt = Interrupt()
        interrupt.listen()
        let progress = ProgressDisplay()
        let result: Conversion.Result
        do {
            result = try conversion.run(
                by: thisProgram, shouldStop: { interrupt.isRequested },
                report: { progress.show(fraction: $0, of: "convert") })
        } catch is Interruption {
            progress.end()
            Console.complain("stopped; nothing is written to \(output)")
            throw ExitCode(130)
        }
        progress.end()
        for note in result.notes { Console.complain("note: \(note)") }
        Console.say("\(result.shape) voxels of \(result.elementType.rawValue)   \(output)")
    }
}

extension ElementType: ExpressibleByArgument {}

extension OMEZarrVersion: ExpressibleByArgument {}
