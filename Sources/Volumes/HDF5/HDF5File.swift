import CHDF5
import Foundation

/// An HDF5 file open for reading. Use it within `HDF5Library.alone`.
final class HDF5File: @unchecked Sendable {
    let handle: HDF5Handle
    /// Where the file is, without symbolic links: what it names besides itself must be in the same folder.
    let path: String
    /// Whether what it names may be elsewhere.
    private let allowsExternalLinks: Bool
    /// The files that this one and those it names have led to.
    let companions: CompanionList

    final class CompanionList {
        fileprivate(set) var paths: [String] = []
    }

    /// - Throws: `HDF5Fault`.
    init(_ path: String, allowsExternalLinks: Bool, companions: CompanionList = CompanionList()) throws {
        self.allowsExternalLinks = allowsExternalLinks
        self.companions = companions
        self.path = resolvedPath(path) ?? path
        let access = try HDF5Handle(H5Pcreate(hdf5_file_access()), close: H5Pclose)
        // Some network file systems have no locks; reading needs none.
        H5Pset_file_locking(access.id, true, true)
        handle = try HDF5Handle(H5Fopen(self.path, hdf5_read_only(), access.id), close: H5Fclose)
    }

    /// Another HDF5 file that this one names.
    ///
    /// - Throws: `HDF5Fault`, `HDF5Refusal` as ``companion(_:)``.
    func linked(_ name: String) throws -> HDF5File {
        try HDF5File(
            try companion(name), allowsExternalLinks: allowsExternalLinks, companions: companions)
    }

    /// The path of another file that this one names.
    ///
    /// - Throws: `HDF5Refusal` where it is not there; or, unless that is allowed, not in this file's folder or one within:
    ///   a file from elsewhere must not open others of its reader's.
    func companion(_ name: String) throws -> String {
        let folder = (path as NSString).deletingLastPathComponent
        let inFolder = (folder as NSString).appendingPathComponent(
            name.hasPrefix("/") ? (name as NSString).lastPathComponent : name)
        let shown = HDF5Library.printable(name)
        guard let found = (name.hasPrefix("/") ? resolvedPath(name) : nil) ?? resolvedPath(inFolder) else {
            throw HDF5Refusal("needs the file \(shown), which is missing; expected it beside this one")
        }
        guard allowsExternalLinks || found.hasPrefix(folder.hasSuffix("/") ? folder : folder + "/") else {
            throw HDF5Refusal(
                "needs the file \(shown), which is outside its folder; where it may be opened, say so by "
                    + "--allow-external-links, in a pipeline file by execution: {external_links: true}")
        }
        var status = stat()
        guard stat(found, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw HDF5Refusal("needs \(shown), which is not a regular file")
        }
        if !companions.paths.contains(found) { companions.paths.append(found) }
        return found
    }
}

/// Something in a file that is sound HDF5 and not read; the words follow the file's name.
struct HDF5Refusal: Error {
    let problem: String

    init(_ problem: String) { self.problem = problem }
}
