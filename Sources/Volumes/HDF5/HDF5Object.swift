import CHDF5

/// A group or dataset, found by following its path link by link, so that no other file is opened before its place has
/// been checked. Use it within `HDF5Library.alone`.
struct HDF5Object {
    /// The file it lies in: another than the one asked where an external link led there.
    let file: HDF5File
    let handle: HDF5Handle
    /// The groups it lies in, the root first.
    let groups: [HDF5Handle]

    /// More links than this one after the other are a loop.
    private static let mostLinks = 32
    /// The value of a link is a message of an object header, of up to 64 KiB.
    private static let longestLink = 1 << 16

    /// - Throws: `HDF5Fault` where there is no such object, `HDF5Refusal` where a link leads out of the file's folder.
    init(_ path: String, in start: HDF5File) throws {
        var file = start
        var chain = [try Self.root(of: file)]
        var names = Self.names(of: path)
        var followed = 0
        while let name = names.popLast(), let parent = chain.last {
            var kind = H5L_TYPE_HARD
            var size = 0
            try HDF5Fault.check(hdf5_link(parent.id, name, &kind, &size))
            if kind == H5L_TYPE_HARD {
                chain.append(try HDF5Handle(H5Oopen(parent.id, name, hdf5_default()), close: H5Oclose))
                continue
            }
            followed += 1
            guard followed <= Self.mostLinks else { throw HDF5Refusal("has links that lead in a circle") }
            let value = try Self.value(of: name, in: parent, kind, size)
            if let target = value.file {
                file = try file.linked(target)
                chain = [try Self.root(of: file)]
            } else if value.path.hasPrefix("/") {
                chain = [chain[0]]
            }
            names += Self.names(of: value.path)
        }
        guard let last = chain.popLast() else { throw HDF5Refusal("has no root") }
        self.file = file
        handle = last
        groups = chain
    }

    var isDataset: Bool { H5Iget_type(handle.id) == H5I_DATASET }

    /// Whether the object has a link of this name, wherever that leads.
    func has(_ name: String) -> Bool {
        H5Iget_type(handle.id) == H5I_GROUP && H5Lexists(handle.id, name, hdf5_default()) > 0
    }

    /// How many of the links `name(0)`, `name(1)` and so on the object has, up to the first that is missing.
    func count(_ name: (Int) -> String) -> Int {
        var count = 0
        // Beyond any microscope, and short of any patience.
        while count < 1_000_000, has(name(count)) { count += 1 }
        return count
    }

    private static func root(of file: HDF5File) throws -> HDF5Handle {
        try HDF5Handle(H5Oopen(file.handle.id, "/", hdf5_default()), close: H5Oclose)
    }

    /// The parts of a path, the first one last.
    private static func names(of path: String) -> [String] {
        path.split(separator: "/").filter { $0 != "." }.reversed().map(String.init)
    }

    private static func value(
        of name: String, in parent: HDF5Handle, _ kind: H5L_type_t, _ size: Int
    ) throws -> (file: String?, path: String) {
        guard kind == H5L_TYPE_SOFT || kind == H5L_TYPE_EXTERNAL, size > 0, size <= longestLink else {
            throw HDF5Refusal("has a link of an unknown kind at \(HDF5Library.printable(name))")
        }
        // Room for an end, should the file's have none.
        var bytes = [CChar](repeating: 0, count: size + 1)
        try HDF5Fault.check(H5Lget_val(parent.id, name, &bytes, size, hdf5_default()))
        if kind == H5L_TYPE_SOFT { return (nil, text(bytes[...])) }
        // The external link's value: a byte of version and flags, then two strings (H5Lunpack_elink_val).
        let names = bytes.dropFirst()
        return (text(names), text(names.drop { $0 != 0 }.dropFirst()))
    }

    private static func text(_ bytes: ArraySlice<CChar>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
