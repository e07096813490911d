extension VolumeFormat {
    static let hdf5 = VolumeFormat(
        name: "HDF5", containerEndings: ["h5", "hdf5", "hdf", "he5", "ims"],
        recognizes: { try $0.file.map(hasHDF5Signature) ?? false }, mayHaveCompanions: { _ in true },
        open: { path, dataset, selection in try HDF5Reader(path: path, dataset: dataset, selection) })

    /// HDF5's signature stands at 0 or, after a user block, at 512, 1024, 2048 and so on (HDF5 File Format
    /// Specification 3.0, II.A).
    private static func hasHDF5Signature(_ file: ReadableFile) throws -> Bool {
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        var offset = 0
        while offset < file.size {
            if try file.read(signature.count, at: offset) == signature { return true }
            offset = offset == 0 ? 512 : offset * 2
        }
        return false
    }
}
