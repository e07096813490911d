import ArgumentParser
import Foundation
import Pipeline
import Volumes

struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a volume file holds.",
        discussion: """
            A volume within a file or container is named after a colon: train-labels.h5:/labels, larva.zarr:labels/cells. \
            Without a name the only volume, or the finest level, is shown, and what else there is. Values are read to the \
            end, unless --headers: of each of up to 16 channels, at the first time point.

            Example:
              segment info sample-data/train.tif
            """)

    @Argument(help: "A file, a folder of sections, file.h5:/dataset or container.zarr:s1.", completion: .file())
    var file: String

    @Option(help: "The channel, from 0, of a file that has several.")
    var channel: Int?

    @Option(help: "The time point, from 0, of a file that has several.")
    var time: Int?

    @OptionGroup var reading: ReadingOptions

    @Flag(help: "Leave the voxels unread.")
    var headers = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let selection = VolumeSelection(
            channel: channel, time: time, allowsExternalLinks: reading.allowExternalLinks)
        let interrupt = Interrupt()
        interrupt.listen()
        let progress = ProgressDisplay()
        let isShown = Console.isTerminal && !json
        let description: VolumeDescription
        do {
            description = try VolumeDescription(
                of: file, selection, values: !headers, executable: thisProgram,
                shouldStop: { interrupt.isRequested },
                report: { if isShown { progress.show(fraction: $0, of: "read") } })
        } catch is Interruption {
            progress.end()
            throw ExitCode(130)
        }
        progress.end()
        if json {
            Console.say(try description.json)
        } else {
            for (name, value) in description.rows { Console.say(name.padded(to: 13) + value) }
        }
    }
}
