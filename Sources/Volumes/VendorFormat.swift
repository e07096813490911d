/// A microscope maker's own format: not read, but told by name, with the way to read it.
struct VendorFormat: Sendable {
    /// As people call it: `Zeiss CZI`.
    let name: String
    /// What its files' names end in, in lower case.
    private let ending: String
    /// The bytes that mark it, and where they stand; empty where the name alone tells it from others.
    private let marks: [(offset: Int, bytes: [UInt8])]

    private init(_ name: String, ending: String, _ marks: (offset: Int, bytes: [UInt8])...) {
        self.name = name
        self.ending = ending
        self.marks = marks
    }

    /// The format of a file by its path and first bytes; nil where it is none of these.
    static func of(_ path: String, head: [UInt8]) -> VendorFormat? {
        all.first { format in
            format.marks.isEmpty
                ? format.names(path)
                : format.marks.allSatisfy { head.dropFirst($0.offset).starts(with: $0.bytes) }
        }
    }

    /// The format that a file's name alone says, whatever the file holds.
    static func named(_ path: String) -> VendorFormat? { all.first { $0.names(path) } }

    private func names(_ path: String) -> Bool { path.lowercased().hasSuffix("." + ending) }

    /// What is wrong with the file `path`, and what to do.
    func problem(_ path: String) -> String {
        let quoted = "'" + path.replacing("'", with: "'\\''") + "'"
        let target = "'" + (path + ".zarr").replacing("'", with: "'\\''") + "'"
        return
            "is a \(name) file, which is not read; turn it into OME-Zarr with: bioformats2raw \(quoted) \(target)"
    }

    private static let all = [
        VendorFormat("Zeiss CZI", ending: "czi", (0, Array("ZISRAWFILE".utf8))),
        VendorFormat("Leica LIF", ending: "lif", (0, [0x70, 0, 0, 0]), (8, [0x2A])),
        VendorFormat("Nikon ND2", ending: "nd2", (0, [0xDA, 0xCE, 0xBE, 0x0A])),
        // The older ones are JPEG 2000.
        VendorFormat("Nikon ND2", ending: "nd2"),
        VendorFormat("Olympus OIR", ending: "oir", (0, Array("OLYMPUSRAWFORMAT".utf8))),
        // Both begin as files of many other programs do.
        VendorFormat("Olympus OIB", ending: "oib"),
        VendorFormat("Olympus OIF", ending: "oif"),
        // A TIFF of a preview; the image is in a folder beside.
        VendorFormat("Olympus VSI", ending: "vsi"),
    ]
}

extension VolumeFile {
    /// The microscope maker's format that a file is of by its name, such as `Zeiss CZI`: not read, but turned into OME-Zarr
    /// by bioformats2raw. nil for all others.
    public static func vendorFormat(named path: String) -> String? { VendorFormat.named(path)?.name }
}
