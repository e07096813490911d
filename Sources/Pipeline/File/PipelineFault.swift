/// A fault in a pipeline file: where it is and what to write instead.
public struct PipelineFault: Error, Equatable, CustomStringConvertible {
    public let file: String
    public let line: Int?
    public let problem: String

    public init(file: String, line: Int? = nil, problem: String) {
        self.init(file: file, line: line, problem: problem, key: nil)
    }

    init(file: String, line: Int?, problem: String, key: String?) {
        self.key = key
        self.file = file
        self.line = line
        self.problem = problem
    }

    /// The dotted name of the key at fault; nil where the fault is no single key's.
    var key: String?
    /// The topmost key that it is below.
    var section: String? { key.map { String($0.prefix { $0 != "." && $0 != "[" }) } }

    /// For example `larva.yaml:9: unknown key 'nework'; did you mean 'network'?`.
    public var description: String {
        line.map { "\(file):\($0): \(problem)" } ?? "\(file): \(problem)"
    }
}

extension [PipelineFault] {
    /// What `body` makes, or nil and its fault among these.
    mutating func collecting<Value>(_ body: () throws -> Value) rethrows -> Value? {
        do {
            return try body()
        } catch let fault as PipelineFault {
            append(fault)
            return nil
        }
    }
}
