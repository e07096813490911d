/// Work that was asked to stop; what is done is kept, and running it again goes on from there.
public struct Interrupted: Error, Equatable, CustomStringConvertible {
    /// Steps or tiles done.
    public let done: Int
    public let total: Int

    public init(done: Int, total: Int) {
        self.done = done
        self.total = total
    }

    public var description: String { "stopped at \(done) of \(total); run again to go on" }
}
