import CHDF5
import Foundation

/// The one door to libhdf5, which is used by one thread at a time: its thread-safe builds hold a lock of
/// their own, the others have none, and Debian ships both kinds.
enum HDF5Library {
    // Recursive, as handles close themselves wherever their last owner goes.
    private static let lock = NSRecursiveLock()

    /// Runs `body` alone in the library, with the library's own error printing off.
    static func alone<Result>(_ body: () throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        // Each thread has an error stack of its own in a thread-safe build.
        H5Eset_auto2(0, nil, nil)
        return try body()
    }

    /// What went wrong in the last call, in the words of the innermost function that failed.
    static func reason() -> String {
        var message = ""
        withUnsafeMutablePointer(to: &message) { target in
            _ = H5Ewalk2(
                0, H5E_WALK_UPWARD,
                { _, error, target in
                    let target = target!.assumingMemoryBound(to: String.self)
                    if target.pointee.isEmpty, let words = error?.pointee.desc {
                        target.pointee = String(cString: words)
                    }
                    return 0
                }, target)
        }
        return tidied(message)
    }

    /// A name or message from a file without what would break a line or command a terminal.
    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    $0.properties.generalCategory == .control ? "\u{FFFD}" : $0
                }))
    }

    /// The system's words alone where libhdf5 wraps them in times, addresses and flags.
    private static func tidied(_ message: String) -> String {
        var message = printable(message)
        if let start = message.range(of: "error message = '"),
            let end = message.range(of: "'", range: start.upperBound..<message.endIndex)
        {
            message = String(message[start.upperBound..<end.lowerBound])
        }
        return message.isEmpty ? "libhdf5 gives no reason" : message
    }
}

/// An open object of libhdf5, closed with its last owner.
final class HDF5Handle {
    let id: hid_t
    private let close: (hid_t) -> herr_t

    /// - Throws: `HDF5Fault` where `id` is not valid, as that of a call that failed.
    init(_ id: hid_t, close: @escaping (hid_t) -> herr_t) throws {
        guard id >= 0 else { throw HDF5Fault() }
        self.id = id
        self.close = close
    }

    deinit {
        HDF5Library.alone { _ = close(id) }
    }
}

/// A call of libhdf5 that failed, and why.
struct HDF5Fault: Error {
    let reason: String

    /// The fault of the call just made.
    init() { reason = HDF5Library.reason() }

    /// - Throws: `HDF5Fault` where `status` is that of a call that failed.
    @discardableResult
    static func check<Status: SignedInteger>(_ status: Status) throws -> Status {
        guard status >= 0 else { throw HDF5Fault() }
        return status
    }
}

extension ElementType {
    /// libhdf5's type for the values in memory.
    var nativeHDF5: hid_t {
        switch self {
        case .uint8: hdf5_native_uint8()
        case .int8: hdf5_native_int8()
        case .uint16: hdf5_native_uint16()
        case .int16: hdf5_native_int16()
        case .uint32: hdf5_native_uint32()
        case .int32: hdf5_native_int32()
        case .uint64: hdf5_native_uint64()
        case .int64: hdf5_native_int64()
        case .float32: hdf5_native_float()
        case .float64: hdf5_native_double()
        }
    }
}
