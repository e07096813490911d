import ArgumentParser
import Foundation
import Networks
import Pipeline
import Volumes

struct NetworksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "networks",
        abstract: "List the networks there are, or the layers of one.",
        discussion: """
            Multiply-adds are those of one input of the extents beside them. The receptive field is what an output \
            voxel may depend on; of networks with valid convolutions it may pass the smallest tile, since a tile \
            has several outputs that see different parts of it. A name goes after 'architecture:' in a pipeline \
            file; resnet and densenet classifiers go after 'encoder:'.

            Example:
              segment networks residual-unet --describe --set levels=3
            """)

    @Argument(help: "One network: its settings, and with --describe its layers.")
    var name: String?

    @Flag(help: "Print the table of layers.")
    var describe = false

    @Option(help: ArgumentHelp("2 or 3 spatial axes (default: list both, describe 3).", valueName: "axes"))
    var dimensions: Int?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "A setting as below 'network:' in a pipeline file; may be repeated.", valueName: "key=value"))
    var settings: [String] = []

    @Option(
        help: ArgumentHelp(
            "Extents to count multiply-adds for: z,y,x such as 64,128,128, or y,x.", valueName: "extents"))
    var input: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if let dimensions, ![2, 3].contains(dimensions) {
            throw ValidationError("--dimensions must be 2 or 3, found \(dimensions)")
        }
        guard name == nil else { return }
        if describe { throw ValidationError("--describe needs the name of a network") }
        if !settings.isEmpty { throw ValidationError("--set needs the name of a network") }
        if input != nil { throw ValidationError("--input needs the name of a network") }
    }

    func run() throws {
        guard let name else { return try list() }
        let network = try NetworkSettings(architecture: name, dimensions: dimensions, settings: settings)
        let summary = try summary(of: network.configuration)
        if describe {
            try show(network.configuration.graph().layerTable(of: summary.input), summary)
        } else if json {
            Console.say(try readable([DescribedNetwork(summary: summary, settings: network.described())]))
        } else {
            try show(summary, network.described())
        }
    }

    private func summary(of network: NetworkConfiguration) throws -> NetworkSummary {
        do {
            return try NetworkSummary(network, input: extents(network))
        } catch let misfit as MisfittingExtents {
            throw PipelineFault(
                file: "command line",
                problem: "--input: \(misfit); it takes \(try network.graph().fittingExtents())")
        }
    }

    private func extents(_ network: NetworkConfiguration) throws -> [Int]? {
        guard let input else { return nil }
        let extents = input.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard extents.count == network.dimensions, extents.allSatisfy({ (1...65_536).contains($0) }) else {
            throw PipelineFault(
                file: "command line",
                problem: "--input must be \(network.dimensions) numbers from 1 to 65536, found '\(input)'")
        }
        return extents
    }

    // MARK: All

    private func list() throws {
        let summaries = try Architecture.all.flatMap { architecture in
            try (dimensions.map { [$0] } ?? [2, 3]).map {
                try NetworkSummary(architecture.configuration(dimensions: $0))
            }
        }
        if json { return Console.say(try readable(summaries)) }
        let header = [
            "network", "axes", "parameters", "multiply-adds", "of input", "receptive field", "smallest tile",
        ]
        let rows = summaries.map { summary in
            [
                summary.name, "\(summary.dimensions)", grouped(summary.parameters), short(summary.multiplyAdds),
                times(summary.input), times(summary.receptiveField), times(summary.smallestTile),
            ]
        }
        TextTable(header, rows, rightAligned: [1, 2, 3]).print()
    }

    // MARK: One

    private func show(_ summary: NetworkSummary, _ settings: [SettingDescription]) throws {
        let architecture = try Architecture.named(summary.name)
        for (title, value) in [
            ("network", "\(architecture.name): \(architecture.summary)"), ("source", architecture.source),
            ("parameters", grouped(summary.parameters)),
            ("cost", "\(short(summary.multiplyAdds)) multiply-adds for an input of \(times(summary.input))"),
            ("sees", "\(times(summary.receptiveField)) voxels (receptive field)"),
            (
                "takes", "\(times(summary.smallestTile)) and multiples of \(times(summary.stride)) more"
            ),
        ] { Console.say(title.padded(to: 12) + value) }
        Console.say(
            architecture.purpose == .segmentation
                ? "\nsettings, below 'network:' in a pipeline file:"
                : "\nsettings, for --set here and in 'diagnose':")
        TextTable(
            ["", "default", ""], settings.map { ["  \($0.key)", $0.value ?? "–", $0.note] }, rightAligned: []
        )
        .print()
    }

    private func show(_ layers: [LayerDescription], _ summary: NetworkSummary) throws {
        if json { return Console.say(try readable(layers)) }
        let header = ["", "layer", "operation", "reads", "channels", "extents", "parameters", "multiply-adds"]
        let rows = layers.map { layer in
            [
                "\(layer.index)", layer.name, layer.operation,
                layer.inputs.map(String.init).joined(separator: " + "),
                "\(layer.channels)",
                times(layer.extents), layer.parameters == 0 ? "" : grouped(layer.parameters),
                layer.multiplyAdds == 0 ? "" : short(layer.multiplyAdds),
            ]
        }
        let total = [
            "", "in all", "", "", "", "", grouped(summary.parameters), short(summary.multiplyAdds),
        ]
        TextTable(header, rows + [total], rightAligned: [0, 4, 6, 7]).print()
    }

    private func times(_ extents: [Int]) -> String { extents.map(String.init).joined(separator: "×") }

    /// Three digits and a unit: `4.09 G`.
    private func short(_ number: Int) -> String {
        let steps = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")]
        guard let (size, unit) = steps.first(where: { Double(number) >= $0.0 }) else { return "\(number)" }
        let value = Double(number) / size
        return String(format: value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value) + unit
    }

    private func readable(_ value: some Encodable) throws -> String {
        String(decoding: try readableJSON(value), as: UTF8.self)
    }
}

/// In JSON, a summary with one key more.
private struct DescribedNetwork: Encodable {
    let summary: NetworkSummary
    let settings: [SettingDescription]

    enum CodingKeys: String, CodingKey { case settings }

    func encode(to encoder: any Encoder) throws {
        try summary.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(settings, forKey: .settings)
    }
}
