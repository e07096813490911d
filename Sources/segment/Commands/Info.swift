import ArgumentParser
import Foundation
import Pipeline

struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a volume file holds.",
        discussion: """
            A dataset of an HDF5 file is named after a colon: train-labels.h5:/labels.

            Example:
              segment info sample-data/train.tif
            """)

    @Argument(help: "A TIFF or HDF5 file, or file.h5:/dataset.", completion: .file())
    var file: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let description = try VolumeDescription(of: file, executable: thisProgram)
        if json {
            Console.say(try description.json)
        } else {
            for (name, value) in description.rows { Console.say(name.padded(to: 13) + value) }
        }
    }
}
