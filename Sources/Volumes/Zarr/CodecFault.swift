/// Why a codec refused; where is known to its caller.
struct CodecFault: Error {
    let problem: String

    init(_ problem: String) { self.problem = problem }
}
