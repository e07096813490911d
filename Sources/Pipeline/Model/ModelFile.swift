import Foundation
import Inference
import Tensors
import Volumes

/// A trained ensemble in one file, which any tool opens that reads safetensors: the members' tensors as `member0/…`,
/// `member1/…`, and in the metadata `model`, a ``ModelDescription`` as JSON, and `digest`, the SHA-256 of the whole file
/// with zeros for its own digits.
public struct ModelFile: Sendable {
    /// Absolute.
    let path: String
    /// As people name it.
    public let title: String
    public let description: ModelDescription
    /// Of the content: equal digests mean equal models.
    public let digest: String

    /// Raised where a program that reads today's files would read tomorrow's wrongly.
    static let formatVersion = 1
    private static let format = "segment-model"
    /// What a file begins with, after the 8 bytes of the header's length.
    private static let opening = "{\"__metadata__\":{\"digest\":\""
    private static let digits = 8 + opening.utf8.count..<8 + opening.utf8.count + 64

    /// Opens a model, and reads all of it to see that it is whole.
    ///
    /// - Throws: `FileFault` for a file that is missing, damaged, of another kind or of a newer version.
    public init(_ title: String, relativeTo folder: String = FileManager.default.currentDirectoryPath) throws {
        try self.init(title, at: SourceLocation.absolute(title, relativeTo: folder))
    }

    init(_ title: String, at path: String) throws {
        self.title = title
        self.path = path
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue,
            FileManager.default.isReadableFile(atPath: path)
        else { throw FileFault(title, FileFault.unreadable(path).problem) }
        let metadata: [String: String]
        do {
            metadata = try SafetensorsFile(path).metadata
        } catch let error as SafetensorsError {
            throw FileFault(title, "\(error.reason); expected a model that 'segment model export' wrote")
        }
        try Self.check(metadata, of: title)
        digest = metadata["digest"] ?? ""
        let found = try Digest.ofFile(path, zeroing: Self.digits)
        guard found == digest else {
            throw FileFault(
                title,
                "is damaged: the SHA-256 of its content is \(found.prefix(12))…, but it says \(digest.prefix(12))…; "
                    + "copy or export it again")
        }
        do {
            description = try JSONDecoder().decode(
                ModelDescription.self, from: Data((metadata["model"] ?? "").utf8))
        } catch let error as DecodingError {
            throw FileFault(title, "is a model whose description cannot be read: \(error.reason)")
        }
        if let problem = description.problem() {
            throw FileFault(title, "is a model that cannot be used: \(problem)")
        }
    }

    private static func check(_ metadata: [String: String], of title: String) throws {
        guard metadata["format"] == format else {
            throw FileFault(
                title, "is a safetensors file, but no model; expected one that 'segment model export' wrote")
        }
        guard let version = metadata["format_version"], version == "\(formatVersion)" else {
            throw FileFault(
                title,
                "is a model of format version \(metadata["format_version"] ?? "unknown"), but segment \(segmentVersion) "
                    + "reads version \(formatVersion); update segment")
        }
    }

    /// The parameters and statistics of a member, counted from 0.
    ///
    /// - Throws: `SafetensorsError` where the file cannot be read any more.
    func tensors(of member: Int) throws -> [String: Tensor] {
        try SafetensorsFile(path).tensors(below: Self.prefix(of: member))
    }

    /// The bytes of a model's file; equal models are equal bytes.
    static func encoded(_ description: ModelDescription, members: [[String: Tensor]]) throws -> Data {
        var tensors: [String: Tensor] = [:]
        for (member, own) in members.enumerated() {
            for (name, tensor) in own { tensors[prefix(of: member) + name] = tensor }
        }
        let metadata = [
            "digest": String(repeating: "0", count: digits.count), "format": format,
            "format_version": "\(formatVersion)",
            "model": try canonicalJSONText(description),
        ]
        var data = try Safetensors(tensors, metadata: metadata).encoded()
        data.replaceSubrange(digits, with: Data(Digest.of(data).utf8))
        return data
    }

    private static func prefix(of member: Int) -> String { "member\(member)/" }
}
