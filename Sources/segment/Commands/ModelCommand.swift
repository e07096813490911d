import ArgumentParser
import Foundation
import Pipeline

struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "Put a trained ensemble into one file, or show what such a file holds.",
        discussion: """
            'model: larva.segmodel' in a pipeline file segments with it; together with 'train' training goes on from it.

            Example:
              segment model export pipelines/demo.yaml -o demo.segmodel
            """,
        subcommands: [Export.self, Show.self])

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write what a pipeline has trained into one file, without a voxel of its volumes.",
            discussion: """
                The file holds the weights of all members, the threshold and all settings that segmenting takes, and \
                the scores that are known. It is a safetensors file.

                Example:
                  segment model export pipelines/demo.yaml -o demo.segmodel
                """)

        @OptionGroup var options: PipelineOptions

        @Option(name: .shortAndLong, help: ArgumentHelp("The model to write.", valueName: "file"))
        var output: String

        @Flag(help: "Replace a file that is there already.")
        var overwrite = false

        func run() throws {
            let model = try options.open().exportModel(to: output, replaces: overwrite)
            Console.say("\(model.title)   \(model.description.summary)")
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "info", abstract: "Show what a model holds, after a look at its digest.",
            discussion: """
                Example:
                  segment model info demo.segmodel
                """)

        @Argument(help: "The model.", completion: .file(extensions: ["segmodel"]))
        var file: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let model = try ModelFile(file)
            if json { return Console.say(try model.json) }
            for (name, value) in try model.rows { Console.say(name.padded(to: 14) + value) }
        }
    }
}
