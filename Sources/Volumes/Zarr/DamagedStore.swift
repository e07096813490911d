/// Damage in a store of this program's own: a stage's output that is to be made again.
///
/// `FileFault` is for everything else: a source that is at fault, or a disk that refuses to be read or written.
public struct DamagedStore: Error, Equatable, CustomStringConvertible {
    /// The file that is damaged or missing.
    public let path: String
    /// One sentence without a capital or a full stop: what was found and what was expected.
    public let problem: String

    public init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    public var description: String { "\(path): \(problem)" }
}
