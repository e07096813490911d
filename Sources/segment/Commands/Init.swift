import ArgumentParser
import Foundation
import Pipeline
import Synchronization
import Tensors
import Volumes

struct Init: NetworkCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Look at an annotated volume and write a pipeline file that suits it, each value with its reason.",
        discussion: """
            Reads image and labels, chooses what is learnt and by which network, and times a few training steps to see \
            which patches fit into memory and how many steps there is time for.

            Example:
              segment init sample-data/train.tif sample-data/train-labels.h5 -o first.yaml
            """)

    @Argument(help: "The image: a file, file.h5:/dataset, or a folder of sections.", completion: .file())
    var image: String

    @Argument(help: "Its labels: every object its own number, or every class.", completion: .file())
    var labels: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The pipeline file to write.", valueName: "file"))
    var output = "pipeline.yaml"

    @Option(help: ArgumentHelp("What is to be segmented: a file, a folder or a pattern.", valueName: "path"))
    var segment: String?

    @Option(
        help: ArgumentHelp("The true labels of what is segmented, which it is scored against.", valueName: "path"))
    var truth: String?

    @Option(
        help: ArgumentHelp(
            "Nanometres along z, y, x, as 40,8,8 or '2,0.8,0.8 µm', where files do not say.",
            valueName: "z,y,x"),
        transform: VoxelSize.argument)
    var voxelSize: VoxelSize?

    @Option(help: ArgumentHelp("A volume that is not 0 where the annotation counts.", valueName: "file"))
    var mask: String?

    @Flag(help: "0 in the labels means not annotated, rather than outside of all objects.")
    var unlabelled = false

    @Option(help: "How long a member may train.")
    var minutes = 24.0

    @Option(help: "2 for sections by themselves, 3 for volumes (default: what suits the voxels).")
    var dimensions: Int?

    @Option(help: "The device: auto, cpu or cuda.")
    var device = Device.Choice.auto

    @Option(help: ArgumentHelp("What training may take, such as 8GiB (default: what is free).", valueName: "size"))
    var memory: String?

    @Flag(help: "Replace the pipeline file that is there.")
    var overwrite = false

    func validate() throws {
        guard minutes > 0, minutes.isFinite else {
            throw ValidationError("--minutes must be more than 0, found \(minutes)")
        }
        if let dimensions, ![2, 3].contains(dimensions) {
            throw ValidationError("--dimensions must be 2 or 3, found \(dimensions)")
        }
        if truth != nil, segment == nil {
            throw ValidationError("--truth takes --segment, the images that it is the truth of")
        }
        if let memory, Bytes.parse(memory) == nil {
            throw ValidationError("--memory takes a size such as 8GiB, found '\(memory)'")
        }
    }

    func run() throws {
        var start = PipelineInit(image: image, labels: labels, output: output, executable: thisProgram)
        start.mask = mask
        start.segment = segment
        start.truth = truth
        start.voxelSize = voxelSize
        start.zeroIsUnlabelled = unlabelled
        start.minutes = minutes
        start.dimensions = dimensions
        start.device = device
        start.memory = memory.flatMap(Bytes.parse)
        start.replaces = overwrite
        let report = try run(start)
        show("found", report.found)
        show("chosen", report.chosen)
        show("next", ["segment check \(output)", "segment run \(output)"])
    }

    private func run(_ start: PipelineInit) throws -> PipelineInit.Report {
        let interrupt = Interrupt()
        interrupt.listen()
        let isTerminal = Console.isTerminal
        defer { if isTerminal { Console.write("\r\u{1B}[2K", to: STDERR_FILENO) } }
        let told = Mutex("")
        do {
            return try start.run(
                shouldStop: { interrupt.isRequested },
                progress: { stage, fraction in
                    let what = stage == .reading ? "reading" : "timing training steps"
                    if isTerminal {
                        Console.write("\r\u{1B}[2K\(what) \(Int(fraction * 100)) %", to: STDERR_FILENO)
                    } else {
                        told.withLock { told in
                            if told != what { Console.complain(what) }
                            told = what
                        }
                    }
                })
        } catch is Interruption {
            Console.complain("stopped; nothing is written to \(output)")
            throw ExitCode(130)
        }
    }

    private func show(_ title: String, _ lines: [String]) {
        for (index, line) in lines.enumerated() {
            Console.say((index == 0 ? title : "").padded(to: 8) + line)
        }
    }
}
