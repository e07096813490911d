/// A microscope maker's own format: not read, but told by name, with the way to read it.
struct VendorFormat: Sendable {
    /// As people call it: `Zeiss CZI`.
    let name: String
    /// The endings of its files' names, where nothing in the file tells it from others.
    private var endings: [String] = []
    /// The bytes that mark it, and where they stand.
    private var marks: [(offset: Int, bytes: [UInt8])] = []

    private init(_ name: String, ending: String) {
        self.name = name
        endings = [ending]
    }

    private init(_ name: String, _ marks: (offset: Int, bytes: [UInt8])...) {
        self.name = name
        self.marks = marks
    }

    /// The format of a file by its path and first bytes; nil where it is none of these.
    static func of(_ path: String, head: [UInt8]) -> VendorFormat? {
        let name = path.lowercased()
        return all.first { format in
            format.endings.contains { name.hasSuffix("." + $0) }
                || !format.marks.isEmpty
                    && format.marks.allSatisfy { head.dropFirst($0.offset).starts(with: $0.bytes) }
        }
    }

    /// What is wrong with the file `path`, and what to do.
    func problem(_ path: String) -> String {
        let quoted = "'" + path.replacing("'", with: "'\\''") + "'"
        let target = "'" + (path + ".zarr").replacing("'", with: "'\\''") + "'"
        return
            "is \(name.hasPrefix("O") ? "an" : "a") \(name) file, which is not read; turn it into OME-Zarr with: bioformats2raw \(quoted) \(target)"
    }

    private static let all = [
        VendorFormat("Zeiss CZI", (0, Array("ZISRAWFILE".utf8))),
        VendorFormat("Leica LIF", (0, [0x70, 0, 0, 0]), (8, [0x2A])),
        VendorFormat("Nikon ND2", (0, [0xDA, 0xCE, 0xBE, 0x0A])),
        // The older ones are JPEG 2000.
        VendorFormat("Nikon ND2", ending: "nd2"),
        VendorFormat("Olympus OIR", (0, Array("OLYMPUSRAWFORMAT".utf8))),
        // Both begin as files of many other programs do.
        VendorFormat("Olympus OIB", ending: "oib"),
        VendorFormat("Olympus OIF", ending: "oif"),
        // A TIFF of a preview; the image is in a folder beside.
        VendorFormat("Olympus VSI", ending: "vsi"),
    ]
}
