import CTorch

/// An array of numbers on a device, with autograd: one libtorch tensor.
///
/// Operations are grouped by theme in the files `Tensor+….swift`. All of them throw ``TensorError`` with libtorch's
/// own first line. Image tensors have the axes `[batch, channel, z, y, x]`, or `[batch, channel, y, x]` in 2D.
///
/// A tensor is a reference: copies of the Swift value share storage, and ARC releases it. It is not `Sendable`,
/// because libtorch's thread pool belongs to the calling thread: one thread does the work of one device.
public final class Tensor {
    let handle: OpaquePointer

    /// Takes ownership of a new handle, or throws this thread's fault where the call gave none.
    init(_ handle: OpaquePointer?) throws {
        guard let handle else { throw TensorError.last }
        self.handle = handle
    }

    deinit { ct_release(handle) }

    /// Extent along every axis; empty for a scalar.
    public var shape: [Int] { (0..<ct_rank(handle)).map { ct_size(handle, $0) } }

    /// Number of elements.
    public var count: Int { shape.reduce(1, *) }

    /// Type of the elements; nil for types that this package makes no use of.
    public var elementType: ElementType? { ElementType(rawValue: ct_type(handle)) }

    /// Where the elements are.
    public var device: Device { ct_device(handle) == Device.cuda.code ? .cuda : .cpu }

    /// Whether the channels of a voxel lie side by side in memory (`channels_last`, `channels_last_3d`).
    public var isChannelsLast: Bool { ct_is_channels_last(handle) }

    /// Tensors alive in this process: a measure of leaks.
    public static var liveCount: Int { ct_live_tensors() }
}

extension Tensor {
    /// The type of a tensor's elements.
    public enum ElementType: Int32, Sendable, CaseIterable {
        case float32, bfloat16, float16, float64, int64, int32, int16, int8, uint8, bool

        /// Whether it is a floating-point number of 16 bits.
        public var isHalf: Bool { self == .bfloat16 || self == .float16 }

        /// Bytes an element.
        public var size: Int {
            switch self {
            case .float64, .int64: 8
            case .float32, .int32: 4
            case .bfloat16, .float16, .int16: 2
            case .int8, .uint8, .bool: 1
            }
        }
    }

    /// The order of elements in memory.
    public enum MemoryFormat: Int32, Sendable {
        /// Row-major: x fastest, then y, z, channel.
        case contiguous
        /// Channel fastest, then x, y, z: what oneDNN's convolutions are fastest with. 4 or 5 axes.
        case channelsLast
    }
}

/// A Swift number type that is an element type of tensors.
public protocol TensorElement: BitwiseCopyable, Sendable {
    static var elementType: Tensor.ElementType { get }
}

extension Float: TensorElement { public static var elementType: Tensor.ElementType { .float32 } }
extension Double: TensorElement { public static var elementType: Tensor.ElementType { .float64 } }
extension Int64: TensorElement { public static var elementType: Tensor.ElementType { .int64 } }
extension Int32: TensorElement { public static var elementType: Tensor.ElementType { .int32 } }
extension Int16: TensorElement { public static var elementType: Tensor.ElementType { .int16 } }
extension Int8: TensorElement { public static var elementType: Tensor.ElementType { .int8 } }
extension UInt8: TensorElement { public static var elementType: Tensor.ElementType { .uint8 } }
