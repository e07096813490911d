import Volumes

extension ChildProcess {
    /// What a child says on its standard output where its work did not come to its end.
    public enum Failure: Codable {
        case file(String, problem: String)
        case damage(path: String, problem: String)
        /// As it was asked to.
        case stopped(place: String?)
        case other(String)

        public init(_ error: any Error) {
            switch error {
            case let fault as FileFault: self = .file(fault.file, problem: fault.problem)
            case let damage as DamagedStore: self = .damage(path: damage.path, problem: damage.problem)
            case let interruption as Interruption: self = .stopped(place: interruption.place)
            default: self = .other("\(error)")
            }
        }

        /// The error as it was in the child.
        var error: any Error {
            switch self {
            case .file(let file, let problem): FileFault(file, problem)
            case .damage(let path, let problem): DamagedStore(path: path, problem: problem)
            case .stopped(let place): Interruption(place: place)
            case .other(let problem): WorkFailure(description: problem)
            }
        }
    }
}

/// An error of another process, as it described it.
struct WorkFailure: Error, CustomStringConvertible {
    let description: String
}
