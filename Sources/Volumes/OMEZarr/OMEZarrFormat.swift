import Foundation

extension VolumeFormat {
    static let omeZarr = VolumeFormat(
        name: "OME-Zarr", containerEndings: ["zarr"],
        recognizes: { candidate in candidate.isFolder && ZarrFolder.hasMetadata(candidate.path) },
        open: { path, dataset, selection in try OMEZarrReader(path: path, dataset: dataset, selection) })
}
