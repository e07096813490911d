import Dispatch
import Foundation
import Synchronization

/// Turns Ctrl-C and SIGTERM into a request to stop at the next safe place; a second one ends the program at once.
///
/// Unchecked: the sources are made once, in `listen`, and only kept alive after that.
final class Interrupt: @unchecked Sendable {
    private let requested = Atomic<Bool>(false)
    private var sources: [any DispatchSourceSignal] = []

    var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// From now on.
    func listen() {
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [self] in
                if requested.exchange(true, ordering: .relaxed) { _exit(130) }
                Console.complain("\nstopping at the next safe place (again to stop at once)")
            }
            source.resume()
            sources.append(source)
        }
    }
}
