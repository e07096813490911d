import CTorch

/// A fault of a tensor operation, in one line.
public enum TensorError: Error, Equatable, CustomStringConvertible {
    /// libtorch refused an operation; its first line says why.
    case libtorch(String)
    /// An element type was found where the operation needs another.
    case elementType(found: String, expected: String)
    /// Values and the shape they should fill do not match.
    case valueCount(found: Int, shape: [Int])
    /// A device was asked for that this machine or this libtorch does not have.
    case deviceMissing(String)
    /// A precision was asked for that is for other devices.
    case precisionMissing(String)
    /// An optimizer's or network's state lacks a tensor, or has one of another shape.
    case state(String)

    public var description: String {
        switch self {
        case .libtorch(let line): line
        case .elementType(let found, let expected): "tensor of \(found) where \(expected) is expected"
        case .valueCount(let found, let shape): "\(found) values do not fill a tensor of shape \(shape)"
        case .deviceMissing(let name): "device \(name) is not available here"
        case .precisionMissing(let name): "precision \(name) is for GPUs; use auto, f32 or bf16 here"
        case .state(let line): line
        }
    }

    /// The last fault on this thread.
    static var last: TensorError { .libtorch(String(cString: ct_fault())) }
}

/// Throws this thread's fault where a call into libtorch reports one.
func check(_ code: Int32) throws {
    if code != 0 { throw TensorError.last }
}
