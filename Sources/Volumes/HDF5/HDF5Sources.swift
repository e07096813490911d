import CHDF5
import Foundation

/// The datasets that a virtual dataset is made of, in this file or others.
enum HDF5Sources {
    /// A source may be virtual itself; further than this it is taken for a circle.
    private static let deepest = 8
    private static let mostSources = 100_000

    /// libhdf5 fills in for a source that is missing and opens whatever a name leads to; here each must be there, and
    /// in the file's folder.
    ///
    /// - Throws: `HDF5Refusal`, `HDF5Fault`.
    static func check(_ creation: HDF5Handle, in file: HDF5File, depth: Int = 0) throws {
        guard depth < deepest else { throw HDF5Refusal("is a virtual dataset of itself") }
        var count = 0
        try HDF5Fault.check(H5Pget_virtual_count(creation.id, &count))
        guard count <= mostSources else { throw HDF5Refusal("is a virtual dataset of \(count) sources") }
        var seen: Set<[String]> = []
        for index in 0..<count {
            let fileName = try text { H5Pget_virtual_filename(creation.id, index, $0, $1) }
            let dataset = try text { H5Pget_virtual_dsetname(creation.id, index, $0, $1) }
            guard seen.insert([fileName, dataset]).inserted else { continue }
            guard !(fileName + dataset).contains("%") else {
                throw HDF5Refusal(
                    "is a virtual dataset of numbered sources (\(HDF5Library.printable(fileName))), which are not read; "
                        + "expected each source by its name")
            }
            let source = fileName == "." ? file : try file.linked(fileName)
            try check(HDF5Object(dataset, in: source), depth: depth)
        }
    }

    private static func check(_ source: HDF5Object, depth: Int) throws {
        guard source.isDataset else { throw HDF5Refusal("is a virtual dataset of what is no dataset") }
        let creation = try HDF5Handle(H5Dget_create_plist(source.handle.id), close: H5Pclose)
        if H5Pget_layout(creation.id) == H5D_VIRTUAL { try check(creation, in: source.file, depth: depth + 1) }
        guard H5Pget_layout(creation.id) != H5D_CONTIGUOUS || H5Pget_external_count(creation.id) == 0 else {
            throw HDF5Refusal("is a virtual dataset of values in files that are not HDF5, which are not read")
        }
    }

    private static func text(_ get: (UnsafeMutablePointer<CChar>?, Int) -> Int) throws -> String {
        let length = try HDF5Fault.check(get(nil, 0))
        var bytes = [CChar](repeating: 0, count: length + 1)
        try HDF5Fault.check(get(&bytes, bytes.count))
        return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
