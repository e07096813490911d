/// A kind of file, or folder, that volumes are read from. Adding one means writing one of these, beside its reader, and
/// naming it in ``all``.
struct VolumeFormat: Sendable {
    /// As people call it: `TIFF`.
    let name: String
    /// Endings of file names after which a colon starts the name of a volume within, as in `block.h5:/raw`; empty where
    /// a file holds a single one.
    let containerEndings: [String]
    /// Whether a file or folder is of this kind, by what it holds.
    let recognizes: @Sendable (Candidate) throws -> Bool
    /// Whether a file of this kind may name others that its volume is made of or described by, told without opening it.
    var mayHaveCompanions: @Sendable (Candidate) throws -> Bool = { _ in false }
    /// Opens the volume `dataset` (nil: the only one).
    let open: @Sendable (_ path: String, _ dataset: String?, VolumeSelection) throws -> any VolumeReader

    /// In the order they are tried.
    static let all: [VolumeFormat] = [.hdf5, .tiff, .omeZarr, .n5, .nifti, .mrc, .png, .imageSeries]

    /// For example `TIFF or HDF5`.
    static var names: String {
        let names = all.map(\.name)
        return names.dropLast().joined(separator: ", ") + " or " + names.last!
    }

    /// A file or folder of a kind not yet known, or a pattern of file names.
    struct Candidate {
        let path: String
        /// Nil for a folder and for a pattern.
        let file: ReadableFile?
        /// Its first bytes, at most 512.
        let head: [UInt8]
        /// Whether there is nothing of that name, and the name is a pattern as `slices/*.png`.
        var isPattern = false

        var isFolder: Bool { file == nil && !isPattern }
    }
}
