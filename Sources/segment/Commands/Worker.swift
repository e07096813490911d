import ArgumentParser
import Dispatch
import Foundation
import Pipeline
import Synchronization
import Volumes

/// The process that reads an outside file for another, or trains a member beside others; what it cannot say it dies of there.
struct Worker: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "worker", shouldDisplay: false)

    @Argument var order: String

    private static let isStopped = Atomic(false)

    func run() throws {
        // Ctrl-C is the parent's to handle, which ends this process as it sees fit.
        signal(SIGINT, SIG_IGN)
        signal(SIGTERM, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .global())
        source.setEventHandler { Self.isStopped.store(true, ordering: .relaxed) }
        source.resume()
        let watch = Self.watchParent()
        defer { watch.cancel() }
        do {
            let answer = try WorkerOrder.execute(
                order, shouldStop: { Self.isStopped.load(ordering: .relaxed) },
                report: { progress in
                    if Self.isStopped.load(ordering: .relaxed) { throw Interruption() }
                    ChildProcess.say(progress)
                })
            Console.write(String(decoding: answer, as: UTF8.self), to: STDOUT_FILENO)
        } catch {
            let json = try JSONEncoder().encode(ChildProcess.Failure(error))
            Console.write(String(decoding: json, as: UTF8.self), to: STDOUT_FILENO)
            throw ExitCode(1)
        }
    }

    /// Nobody waits for the answer once the parent is gone, however it ended: the work stops as by a signal, and where it
    /// does not get to its next piece, the process ends.
    private static func watchParent() -> any DispatchSourceTimer {
        let parent = getppid()
        let timer = DispatchSource.makeTimerSource(queue: .global())
        var secondsAlone = 0
        timer.setEventHandler {
            guard getppid() != parent else { return }
            isStopped.store(true, ordering: .relaxed)
            secondsAlone += 1
            if secondsAlone > 3 { _exit(1) }
        }
        timer.schedule(deadline: .now() + 1, repeating: 1)
        timer.resume()
        return timer
    }
}
