/// An experiment that cannot be made, in one line: what was found, what was expected.
public struct DiagnosisError: Error, Equatable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
