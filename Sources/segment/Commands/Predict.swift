import ArgumentParser
import Pipeline
import Tensors
import Volumes

struct Predict: NetworkCommand {
    static let configuration = CommandConfiguration(
        abstract: "The probabilities that a model gives a volume: the prediction stage alone.",
        discussion: """
            A model is what 'segment model export' wrote. Its five networks predict the volume tile by tile, within \
            --memory, and the mean of their probabilities is written as 32-bit floats, or with --each those of every network, \
            as 'segment consensus' takes them. An image of other voxels is resampled as in a run; the probabilities then have \
            the model's voxels.

            Example:
              segment predict larva.segmodel volume.tif -o probabilities.h5
              segment predict larva.segmodel volume.tif --each -o member.h5
              segment consensus member-1.h5 member-2.h5 member-3.h5 member-4.h5 member-5.h5 -o mask.tif
            """)

    @Argument(help: "The model.", completion: .file(extensions: ["segmodel"]))
    var model: String

    @Argument(help: "The volume, such as a.tif, b.h5:/raw or c.zarr.", completion: .file())
    var image: String

    @OptionGroup var written: VolumeOutputOptions

    @Flag(help: "A file for each network, numbered: member.h5 becomes member-1.h5 and so on.")
    var each = false

    @Option(help: ArgumentHelp("The probabilities of one network, counted from 1.", valueName: "number"))
    var member: Int?

    @Option(
        help: ArgumentHelp(
            "Of networks with several outputs, such as affinities, one by its name (default: the first, that objects are "
                + "made of).", valueName: "name"))
    var outputChannel: String?

    @Flag(help: "Average over all mirrorings of the image (8 times as long, 4 in 2D).")
    var mirror = false

    @Flag(
        help:
            "Average over quarters of a turn within sections (4 times as long; with --mirror twice as that alone).")
    var rotate = false

    @Option(
        help: ArgumentHelp(
            "Blend windows of the training patch that overlap by this part, such as 0.5, in place of tiles.",
            valueName: "part"))
    var overlap: Double?

    @OptionGroup var told: VoxelSizeOptions

    @Option(
        help: ArgumentHelp(
            "Keep what is predicted in this folder: work that was stopped goes on from there.", valueName: "dir"))
    var work: String?

    @Option(help: "The device: auto, cpu or cuda.")
    var device: Device.Choice?

    @Option(help: "The numbers it computes in: auto, f32, bf16 or f16 (default: those of the model).")
    var precision: ExecutionSettings.Arithmetic?

    @OptionGroup var reading: ReadingOptions
    @OptionGroup var resources: ResourceOptions

    func validate() throws {
        if each, member != nil { throw ValidationError("--each and --member exclude each other") }
        if let member, member < 1 { throw ValidationError("--member counts from 1, found \(member)") }
        if let overlap, !(0...0.875).contains(overlap) {
            throw ValidationError("--overlap must lie between 0 and 0.875, found \(overlap)")
        }
    }

    func run() throws {
        let interrupt = Interrupt()
        interrupt.listen()
        var settings = PredictionSettings()
        (settings.mirror, settings.rotate, settings.overlap) = (mirror, rotate, overlap)
        let prediction = try ModelPrediction(
            model: model, image: image, settings: settings == PredictionSettings() ? nil : settings,
            voxelSize: told.voxelSize, precision: precision, allowsExternalLinks: reading.allowExternalLinks,
            options: RunOptions(
                workFolder: work, device: device, threads: resources.threads, memory: resources.bytes,
                executable: thisProgram))
        defer { prediction.remove() }
        let display = ProgressDisplay()
        let (files, size) = try prediction.write(
            each ? .each : member.map { .one($0) } ?? .mean, channel: outputChannel, to: written.output,
            replaces: written.overwrite, shouldStop: { interrupt.isRequested }, observe: display.show)
        for file in files { Console.say(file) }
        if each, let advice = prediction.advice { Console.complain("note: \(advice)") }
        if let size { Console.complain("note: the image was resampled; the probabilities have voxels of \(size)") }
    }
}

extension ExecutionSettings.Arithmetic: ExpressibleByArgument {}
