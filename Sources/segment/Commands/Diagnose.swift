import ArgumentParser
import Diagnosis
import Foundation
import Pipeline
import Reports
import Tensors

struct Diagnose: NetworkCommand {
    static let configuration = CommandConfiguration(
        abstract: "See whether a deep network will train, and why.",
        discussion: """
            Writes plots, diagnose.json and index.html. By default: signals by depth, shattered gradients, paths of \
            residual networks and a first look at batch normalization, in minutes. The others take longer; Ctrl-C \
            stops them at a safe place, and running again goes on from there: degradation (plain and residual \
            networks of 20 and 56 layers, three seeds each: half an hour on two cores) and batch_norm.

            Example:
              segment diagnose pipelines/demo.yaml -o diagnosis
            """)

    @Argument(help: "The pipeline file.", completion: .file(extensions: ["yaml", "yml"]))
    var pipeline: String?

    @Option(help: ArgumentHelp("A network in place of a pipeline file; see 'segment networks'.", valueName: "name"))
    var network: String?

    @Option(help: ArgumentHelp("Spatial axes of --network: 2 or 3 (default).", valueName: "axes"))
    var dimensions: Int?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "A setting of --network as below 'network:' in a pipeline file; may be repeated.",
            valueName: "key=value"))
    var settings: [String] = []

    @Option(name: [.customShort("o"), .long], help: ArgumentHelp("The folder for the report.", valueName: "dir"))
    var output: String

    @Option(
        help: ArgumentHelp(
            "Some of \(Experiment.allCases.map(\.rawValue).joined(separator: ",")); results of others stay.",
            valueName: "names"))
    var experiments: String?

    @Option(help: ArgumentHelp("The pipeline's folder for cached stages.", valueName: "dir"))
    var work: String?

    @Option(help: "The device: auto, cpu or cuda.")
    var device: Device.Choice?

    @Option(help: "Threads on the processor (default: as many as it has).")
    var threads: Int?

    func validate() throws {
        guard (pipeline == nil) != (network == nil) else {
            throw ValidationError("give either a pipeline file or --network")
        }
        guard !output.isEmpty else { throw ValidationError("--output must name a folder, found nothing") }
        if network == nil, dimensions != nil || !settings.isEmpty {
            throw ValidationError("--dimensions and --set belong to --network; a pipeline file has its own")
        }
        if let dimensions, ![2, 3].contains(dimensions) {
            throw ValidationError("--dimensions must be 2 or 3, found \(dimensions)")
        }
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1, found \(threads)") }
    }

    func run() throws {
        let interrupt = Interrupt()
        interrupt.listen()
        let run = DiagnosisRun(folder: output, experiments: try experiments.map(Experiment.list))
        let display = ProgressDisplay()
        let results: DiagnosisResults
        if let network {
            let configuration = try NetworkSettings(
                architecture: network, dimensions: dimensions ?? 3, settings: settings
            ).configuration
            results = try run.run(
                configuration, device: Device.resolve(device ?? .auto), threads: threads,
                shouldStop: { interrupt.isRequested }, observe: display.show)
        } else {
            let opened = try PipelineRun(
                pipeline ?? "",
                options: RunOptions(workFolder: work, device: device, threads: threads, executable: thisProgram))
            results = try run.run(opened, shouldStop: { interrupt.isRequested }, observe: display.show)
        }
        for line in results.verdict { Console.say(line) }
        Console.say("report: \(output)/\(DiagnosisReport.pageName)")
    }
}
