import CTIFF
import Foundation

/// An open libtiff handle that prints nothing and keeps libtiff's first message for its errors.
final class TIFFHandle {
    let path: String
    let pointer: OpaquePointer
    let descriptor: Int32
    let fileSize: Int
    private let message: UnsafeMutablePointer<ctiff_message>

    /// Opens a TIFF for reading.
    init(reading path: String) throws {
        self.path = path
        // Without O_NONBLOCK, opening a pipe that nobody writes to never returns.
        descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFault(path, "cannot be opened: \(systemReason())") }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw FileFault(path, "is not a regular file")
        }
        fileSize = Int(status.st_size)
        let largest = Int64(4 * fileSize + (64 << 20))
        let descriptor = descriptor
        (pointer, message) = try TIFFHandle.attach(descriptor, path) { message in
            ctiff_open_reading(descriptor, path, largest, message)
        }
    }

    /// Opens a file that `descriptor` refers to for writing; the handle owns the descriptor from then on.
    init(writing path: String, descriptor: Int32, big: Bool) throws {
        self.path = path
        self.descriptor = descriptor
        fileSize = 0
        (pointer, message) = try TIFFHandle.attach(descriptor, path) { message in
            ctiff_open_writing(descriptor, path, big ? "w8" : "w4", message)
        }
    }

    deinit {
        TIFFClose(pointer)
        message.deallocate()
    }

    private static func attach(
        _ descriptor: Int32, _ path: String, _ open: (UnsafeMutablePointer<ctiff_message>) -> OpaquePointer?
    ) throws -> (OpaquePointer, UnsafeMutablePointer<ctiff_message>) {
        let message = UnsafeMutablePointer<ctiff_message>.allocate(capacity: 1)
        message.initialize(to: ctiff_message())
        if let pointer = open(message) { return (pointer, message) }
        let problem = sentence(of: message.pointee, path: path, otherwise: "is not a TIFF file")
        message.deallocate()
        close(descriptor)
        throw FileFault(path, "cannot be read as a TIFF: \(problem)")
    }

    /// The file's bytes from `offset`; nil where they are not all there.
    func bytes(_ count: Int, at offset: UInt64) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return ctiff_read_at(pointer, offset, &bytes, tmsize_t(count)) == 1 ? bytes : nil
    }

    /// Forgets the message of an earlier error.
    func clearMessage() { message.pointee.text.0 = 0 }

    /// libtiff's message since `clearMessage`, or `otherwise`.
    func problem(otherwise: String) -> String {
        TIFFHandle.sentence(of: message.pointee, path: path, otherwise: otherwise)
    }

    private static func sentence(of message: ctiff_message, path: String, otherwise: String) -> String {
        let text = withUnsafeBytes(of: message.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        // Our own messages begin with the file already.
        let own = text.hasPrefix(path + ": ") ? text.dropFirst(path.count + 2) : Substring(text)
        guard let line = own.split(whereSeparator: \.isNewline).first else { return otherwise }
        let printable = line.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : String($0) }.joined()
        return printable.hasSuffix(".") ? String(printable.dropLast()) : printable
    }
}

/// The tags of the current directory.
extension TIFFHandle {
    /// A tag's value, or its default in the TIFF specification, or nil where it has neither.
    func uint16(_ tag: Int32) -> Int? {
        var value: UInt16 = 0
        return ctiff_get_uint16(pointer, UInt32(tag), &value) == 1 ? Int(value) : nil
    }

    func uint32(_ tag: Int32) -> Int? {
        var value: UInt32 = 0
        return ctiff_get_uint32(pointer, UInt32(tag), &value) == 1 ? Int(value) : nil
    }

    func float(_ tag: Int32) -> Double? {
        var value: Float = 0
        return ctiff_get_float(pointer, UInt32(tag), &value) == 1 ? Double(value) : nil
    }

    /// How many pixels share a colour value along x and y, in YCbCr.
    var chromaSubsampling: (Int, Int) {
        var horizontal: UInt16 = 0
        var vertical: UInt16 = 0
        ctiff_get_subsampling(pointer, &horizontal, &vertical)
        return (Int(horizontal), Int(vertical))
    }

    /// Lets libtiff turn JPEG's YCbCr into RGB, until another directory is read.
    func decodeJPEGAsRGB() { ctiff_decode_jpeg_as_rgb(pointer) }

    /// A text, as UTF-8 or else as Latin-1 (older ImageJ writes µ so).
    func string(_ tag: Int32) -> String? {
        var value: UnsafePointer<CChar>?
        guard ctiff_get_string(pointer, UInt32(tag), &value) == 1, let value else { return nil }
        let bytes = UnsafeRawBufferPointer(start: value, count: strlen(value))
        return String(validating: bytes, as: UTF8.self)
            ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }
}
