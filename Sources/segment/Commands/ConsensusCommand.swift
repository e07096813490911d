import ArgumentParser
import Foundation
import Labeling
import Pipeline
import Volumes

struct ConsensusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consensus",
        abstract: "What several networks' probabilities agree on: the consensus stage alone.",
        discussion: """
            Probabilities, of any program, are floating-point numbers from 0 to 1, or whole numbers of which the largest \
            is 1 (uint8: 255); a logits.zarr of a work folder will do, too, where it has one channel. The mask has 1 where \
            as many reach the threshold as --agree says, else 0. Logits are compared in steps of 1/1024, probabilities as the \
            nearest of those. --mean, --variance and --lowest write how far networks agree. The volumes are read block by block.

            Example:
              segment consensus a.h5 b.h5 c.h5 --agree majority --threshold 0.9 -o mask.tif
              segment label mask.tif -o objects.tif
            """)

    @Argument(help: "The probabilities, a file a network, such as a.tif, b.h5:/p or c.zarr.", completion: .file())
    var members: [String]

    @OptionGroup var written: VolumeOutputOptions

    @Option(help: ArgumentHelp("The number of votes, voxel by voxel.", valueName: "file"))
    var votes: String?

    @Option(help: ArgumentHelp("The mean of the probabilities, as 32-bit floats.", valueName: "file"))
    var mean: String?

    @Option(help: ArgumentHelp("The variance of the probabilities, at most 0.25.", valueName: "file"))
    var variance: String?

    @Option(help: ArgumentHelp("The lowest of the probabilities.", valueName: "file"))
    var lowest: String?

    @Option(help: "all, majority, mean (of the probabilities) or a number of members.")
    var agree: AgreementRule = .all

    @Option(help: ArgumentHelp("The probability that a vote takes.", valueName: "p"))
    var threshold = 0.5

    @Option(help: ArgumentHelp("The same as a logit, ln(p / (1 - p)).", valueName: "logit"))
    var thresholdLogit: Double?

    @OptionGroup var reading: ReadingOptions
    @OptionGroup var resources: ResourceOptions

    func validate() throws {
        guard Threshold(probability: threshold) != nil else {
            throw ValidationError("--threshold must lie between 0 and 1, found \(threshold)")
        }
        if let thresholdLogit, !(-32...32).contains(thresholdLogit) {
            throw ValidationError("--threshold-logit must lie between -32 and 32, found \(thresholdLogit)")
        }
        if case .atLeast(let count) = agree, count > members.count {
            throw ValidationError("--agree \(count) asks for more votes than the \(members.count) members have")
        }
        for (option, path) in [("votes", votes), ("mean", mean), ("variance", variance), ("lowest", lowest)] {
            if let path { try VolumeOutputOptions.check(path, "--\(option)") }
        }
    }

    func run() throws {
        guard let threshold = thresholdLogit.map({ Threshold(logit: $0) }) ?? Threshold(probability: threshold)
        else { return }
        let agreement = try resources.withVolumes(reading) { files in
            try files.consensus(
                of: members, rule: agree, threshold: threshold,
                to: .init(mask: written.output, votes: votes, mean: mean, variance: variance, lowest: lowest),
                replaces: written.overwrite)
        }
        let all = agreement.voxelsByVotes.reduce(0, +)
        func share(_ count: Int) -> String { String(format: "%.1f %%", 100 * Double(count) / Double(max(1, all))) }
        Console.say("\(share(agreement.inside)) of \(grouped(all)) voxels are inside   \(written.output)")
        let counts = agreement.voxelsByVotes.enumerated().map { "\($0): \(share($1))" }
        Console.say("voxels by votes   \(counts.joined(separator: ", "))")
    }
}

extension AgreementRule: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
