import ArgumentParser
import Foundation
import Pipeline
import Volumes

/// The command line: parse, call, print.
struct Segment: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segment",
        abstract: "Turn 3D microscope volumes into labelled volumes.",
        discussion: """
            A pipeline file names annotated volumes to learn from and volumes to segment. Five networks are trained, \
            a voxel is kept where they agree, connected regions are labelled and exported. Every stage is cached.

            Example:
              segment run pipelines/demo.yaml
            """,
        version: "segment \(segmentVersion)",
        subcommands: [
            Init.self, Run.self, Check.self, PlanCommand.self, Status.self, Clean.self, Info.self, Convert.self,
            Evaluate.self, SweepCommand.self,
            Predict.self, ConsensusCommand.self, Label.self, Regrow.self, Objects.self,
            ModelCommand.self, NetworksCommand.self, Diagnose.self, Synthesize.self, Worker.self,
        ])
}

@main
enum Main {
    static func main() {
        // A reader that goes away (`segment status | head`) is no reason to die without a word saved.
        signal(SIGPIPE, SIG_IGN)
        do {
            let arguments = arguments
            try checkCommand(arguments.first)
            var command = try Segment.parseAsRoot(arguments)
            if command is any NetworkCommand { letThreadsSleep() }
            try command.run()
        } catch {
            end(error)
        }
    }

    /// What was given, negative numbers as part of the option before them: the parser takes them for options.
    private static var arguments: [String] {
        CommandLine.arguments.dropFirst().reduce(into: []) { arguments, word in
            if let option = arguments.last, option.hasPrefix("--"), option != "--", !option.contains("="),
                word.wholeMatch(of: /-[0-9.]+([,:].*)?\s?(nm|[uµ]m|mm|Å)?[³3]?/) != nil
            {
                arguments[arguments.count - 1] += "=" + word
            } else {
                arguments.append(word)
            }
        }
    }

    /// The parser takes a command that there is none of for an argument too many.
    private static func checkCommand(_ word: String?) throws {
        guard let word, !word.hasPrefix("-") else { return }
        let commands = Segment.configuration.subcommands
        let names = commands.map { $0._commandName } + ["help"]
        if names.contains(word) { return }
        let known = commands.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
        let meant =
            word.hasSuffix(".yaml") || word.hasSuffix(".yml") ? "run \(word)" : nearest(to: word, among: known)
        let hint =
            meant.map { "did you mean 'segment \($0)'?" } ?? "expected one of \(known.joined(separator: ", "))"
        throw ValidationError("'\(word)' is no command; \(hint)")
    }

    /// One line and an exit code: 64 for a misused command line, 130 for an interruption, 1 otherwise.
    private static func end(_ error: any Error) -> Never {
        if error is ExitCode || error is CleanExit || error is ValidationError || isParserError(error) {
            if Segment.exitCode(for: error) == .success {
                Console.say(endingInExample(Segment.fullMessage(for: error)))
                exit(0)
            }
            Segment.exit(withError: error)
        }
        if let interruption = error as? Interruption {
            let saved = interruption.place.map { "stopped and saved at \($0)" } ?? "stopped"
            Console.complain(interruption.isResumable ? "\(saved); run again to go on" : saved)
            exit(130)
        }
        Console.complain("error: \(error)")
        exit(1)
    }

    /// A help text with its example moved from the description to the end, where people look for it.
    private static func endingInExample(_ help: String) -> String {
        guard let start = help.range(of: "Example:\n"),
            let end = help.range(of: "\n\n", range: start.upperBound..<help.endIndex)
        else { return help }
        let example = help[start.lowerBound..<end.lowerBound]
        let rest = help[..<start.lowerBound] + help[end.upperBound...]
        return rest.trimmingCharacters(in: .newlines) + "\n\n" + example
    }

    private static func isParserError(_ error: any Error) -> Bool {
        String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
    }
}
