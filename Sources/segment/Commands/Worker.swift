import ArgumentParser
import Foundation
import Pipeline
import Volumes

/// The process that reads an outside file for another; what it cannot say it dies of there.
struct Worker: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "worker", shouldDisplay: false)

    @Argument var order: String

    func run() throws {
        // Ctrl-C is the parent's to handle.
        signal(SIGINT, SIG_IGN)
        do {
            Console.write(String(decoding: try WorkerOrder.execute(order), as: UTF8.self), to: STDOUT_FILENO)
        } catch let fault as FileFault {
            let json = try JSONEncoder().encode(ChildProcess.Fault(fault))
            Console.write(String(decoding: json, as: UTF8.self), to: STDOUT_FILENO)
            throw ExitCode(1)
        }
    }
}
