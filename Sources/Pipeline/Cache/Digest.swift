import Crypto
import Foundation
import Volumes

/// SHA-256 as lower-case hexadecimal.
enum Digest {
    static func of(_ data: Data) -> String {
        hexadecimal(SHA256.hash(data: data))
    }

    /// The digest of a file's content, read a piece at a time.
    ///
    /// - Parameter zeroing: bytes that count as the digit 0.
    /// - Throws: `FileFault` where the file cannot be read.
    static func ofFile(_ path: String, zeroing: Range<Int> = 0..<0) throws -> String {
        guard let file = FileHandle(forReadingAtPath: path) else { throw FileFault.unreadable(path) }
        defer { try? file.close() }
        var hash = SHA256()
        do {
            var position = 0
            while var piece = try file.read(upToCount: 4 << 20), !piece.isEmpty {
                for byte in zeroing.clamped(to: position..<position + piece.count) {
                    piece[byte - position] = UInt8(ascii: "0")
                }
                hash.update(data: piece)
                position += piece.count
            }
        } catch {
            throw FileFault(path, "cannot be read to its end")
        }
        return hexadecimal(hash.finalize())
    }

    /// The digest of a folder: of the paths and contents of all files below it.
    ///
    /// - Throws: `FileFault` where a file cannot be read.
    static func ofFolder(_ path: String) throws -> String {
        let walk = FileManager.default.enumerator(atPath: (path as NSString).resolvingSymlinksInPath)
        let names = walk?.compactMap { $0 as? String } ?? []
        return try of(files: names.sorted(), in: path + "/")
    }

    /// The digest of what a pattern matches, as of a folder.
    ///
    /// - Throws: `FileFault` where a file cannot be read.
    static func ofMatches(_ pattern: PathPattern) throws -> String {
        let folder = pattern.base + "/"
        return try of(files: pattern.matches.map { String($0.dropFirst(folder.count)) }, in: folder)
    }

    /// The digest of files, of their paths and contents. Folders among them are passed over.
    private static func of(files paths: [String], in folder: String) throws -> String {
        var parts: [[String]] = []
        for path in paths {
            var isFolder: ObjCBool = false
            let file = folder + path
            guard FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), !isFolder.boolValue else {
                continue
            }
            parts.append([path, try ofFile(file)])
        }
        return of(try canonicalJSON(parts))
    }

    private static func hexadecimal(_ digest: SHA256Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

extension FileFault {
    /// The fault of a path that cannot be opened for reading, with the reason.
    static func unreadable(_ path: String) -> FileFault {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            return FileFault(path, "there is no such file")
        }
        return FileFault(
            path, isFolder.boolValue ? "is a folder; expected a file" : "may not be read (permission denied)")
    }
}
