import ArgumentParser
import Labeling
import Pipeline
import Volumes

struct Regrow: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Grow labelled objects back into what was dropped around them: the regrowth stage alone.",
        discussion: """
            A seeded watershed over probabilities (as for 'segment consensus'), highest first, as far from the objects as \
            --within says. Objects keep their numbers, and meet without a gap. The volumes are read block by block. \
            'regrow: {votes: majority, above: 0.5}' of a pipeline is --votes of 'segment consensus --threshold 0.5', with \
            --at-least 3 of 5.

            Example:
              segment regrow objects.tif probabilities.h5 --within 40 -o grown.tif
              segment consensus a.h5 b.h5 c.h5 -o mask.tif --votes votes.tif --lowest lowest.h5
              segment label mask.tif -o objects.tif
              segment regrow objects.tif lowest.h5 --within 40 --votes votes.tif --at-least 2 -o grown.tif
            """)

    @Argument(help: "The labelled volume, such as a.tif, b.h5:/labels or c.zarr.", completion: .file())
    var labels: String

    @Argument(help: "The probabilities, such as a.tif, b.h5:/p or c.zarr.", completion: .file())
    var probabilities: String

    @Option(
        help: ArgumentHelp(
            "How far objects grow: 40 for nanometres, or '0.5 µm' (default with --votes: 16 times a voxel's shortest side).",
            valueName: "length"), transform: Length.argument)
    var within: Length?

    @Option(help: ArgumentHelp("Grow only where the probability reaches this.", valueName: "p"))
    var above: Double?

    @Option(
        help: ArgumentHelp(
            "The number of networks that vote for each voxel, as of 'segment consensus'.", valueName: "file"),
        completion: .file())
    var votes: String?

    @Option(help: "Grow only where so many networks vote.")
    var atLeast: Int?

    @Flag(help: "Each section has objects of its own.")
    var withinSections = false

    @OptionGroup var written: VolumeOutputOptions

    @OptionGroup var told: VoxelSizeOptions

    @OptionGroup var reading: ReadingOptions
    @OptionGroup var resources: ResourceOptions

    func validate() throws {
        guard within != nil || votes != nil else {
            throw ValidationError("expected --within, --votes or both: what ends the growth of objects")
        }
        guard (votes == nil) == (atLeast == nil) else {
            throw ValidationError("--votes and --at-least go together")
        }
        if let atLeast, !(1...Int(UInt8.max)).contains(atLeast) {
            throw ValidationError("--at-least must lie between 1 and \(UInt8.max), found \(atLeast)")
        }
        if let above, Threshold(probability: above) == nil {
            throw ValidationError("--above must lie between 0 and 1, found \(above)")
        }
    }

    func run() throws {
        try resources.withVolumes(reading) { files in
            try files.regrow(
                labels, over: probabilities, reach: within?.nanometers,
                floor: above.flatMap { Threshold(probability: $0) },
                votes: votes.flatMap { file in atLeast.map { (file, $0) } }, withinSections: withinSections,
                voxelSize: told.voxelSize, to: written.output,
                replaces: written.overwrite)
        }
        Console.say(written.output)
    }
}
