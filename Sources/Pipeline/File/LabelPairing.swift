import Foundation
import Volumes

/// Finds which labels belong to which image in the layouts that the field's tools keep their data in.
///
/// - nnU-Net: `imagesTr/case_0000.nii.gz`, `case_0001.nii.gz` (channels) with `labelsTr/case.nii.gz`, and the same of
///   `imagesTs` (nnU-Net documentation, "dataset format").
/// - Cellpose: `name.tif`, or `name_img.tif`, with `name_masks.tif` beside it.
/// - Folders: `images/` beside `masks/` or `labels/`, with the same names in both.
struct LabelPairing {
    /// An image with what was found for it; paths are absolute.
    struct Pair: Equatable {
        /// The path of the result, relative to the folder that was searched.
        var name: String
        /// One file an input of the network.
        var images: [String]
        var labels: String?
    }

    /// What cannot be told.
    struct Ambiguity: Error {
        let problem: String
    }

    private static let suffixes = ["_masks", "_cp_masks", "_mask", "_labels", "_label", "-masks", "-labels"]
    /// Names of folders of images, with those of their labels.
    private static let folders = [
        "images": ["masks", "labels"], "imagestr": ["labelstr"], "imagests": ["labelsts"],
    ]

    /// What is looked for, in words.
    static var layouts: String {
        "NAME\(suffixes[0]) beside NAME (also \(suffixes.dropFirst().joined(separator: ", "))), the same name in images/ "
            + "and in masks/ or labels/, and imagesTr/NAME_0000 with labelsTr/NAME"
    }

    /// Whether a folder's name is nnU-Net's for images or labels.
    static func isOfNNUNet(_ folder: String) -> Bool {
        ["imagestr", "imagests", "labelstr", "labelsts"].contains(
            (folder as NSString).lastPathComponent.lowercased())
    }

    /// What was found among files.
    struct Pairs {
        /// Each image, with its labels where there are any.
        var pairs: [Pair] = []
        /// Labels that belong to no image.
        var unclaimed: [String] = []
    }

    /// Each image of `files`, with its labels where there are any.
    ///
    /// - Parameters:
    ///   - others: files, absolute, that are no images of their own and may be labels.
    ///   - base: the folder that the files were found in; result names start from it, and no folder above it counts.
    static func pairs(
        in files: [ImagePaths.Found], and others: [String] = [], base: String, _ search: VolumeSearch
    ) throws -> Pairs {
        var finder = LabelFinder(Set(files.map(\.path) + others).sorted(), base: base, search)
        let images = files.filter { !finder.isLabels($0.path) }
        let labels = Set(files.map(\.path)).subtracting(images.map(\.path))
        var pairs: [Pair] = []
        var byName: [String: Int] = [:]
        for file in images {
            let image = file.path
            guard let (name, channel) = nnUNetChannel(image) else {
                pairs.append(Pair(name: file.name, images: [image], labels: try finder.labels(of: image)))
                continue
            }
            let key = "\(name).\(ending(image))"
            if let known = byName[key] {
                pairs[known].images.append(image)
            } else {
                byName[key] = pairs.count
                let labels = try finder.labels(of: image)
                pairs.append(Pair(name: String(file.name.dropLast(5)), images: [image], labels: labels))
            }
            let index = byName[key]!
            guard channel == pairs[index].images.count - 1 else {
                throw Ambiguity(
                    problem: "\(image) is channel \(channel), but channel \(pairs[index].images.count - 1) of "
                        + "it is not there")
            }
        }
        return Pairs(pairs: pairs, unclaimed: labels.subtracting(pairs.compactMap(\.labels)).sorted())
    }

    private static func ending(_ path: String) -> String {
        String(path.dropFirst(VolumeListing.withoutEnding(path).count))
    }

    /// `…/imagesTr/case` and 1 of `…/imagesTr/case_0001.nii.gz`.
    private static func nnUNetChannel(_ path: String) -> (path: String, channel: Int)? {
        let components = path.lowercased().split(separator: "/").dropLast()
        guard components.contains(where: { $0 == "imagestr" || $0 == "imagests" }) else { return nil }
        let whole = VolumeListing.withoutEnding(path)
        let digits = whole.suffix(4)
        guard whole.dropLast(4).hasSuffix("_"), digits.allSatisfy({ $0.isASCII && $0.isNumber }),
            let channel = Int(digits)
        else { return nil }
        return (String(whole.dropLast(5)), channel)
    }

    /// Looks labels up, listing each folder once.
    private struct LabelFinder {
        /// Files by path without ending, in lower case.
        private var files: [String: [String]] = [:]
        /// Folders of labels by the folder of their images.
        private var partners: [String: [String]] = [:]
        private var isLabelFolder: [String: Bool] = [:]

        private let base: String
        private let search: VolumeSearch

        init(_ listed: [String], base: String, _ search: VolumeSearch) {
            self.base = base
            self.search = search
            for path in listed { files[VolumeListing.withoutEnding(path).lowercased(), default: []].append(path) }
        }

        /// The folders that a file is in, from its own up to the one that was searched.
        private func folders(of path: String) -> [String] {
            sequence(first: (path as NSString).deletingLastPathComponent) {
                ($0 as NSString).deletingLastPathComponent
            }.prefix { $0 == base || $0.hasPrefix(base + "/") }.map { $0 }
        }

        /// Whether the file is the labels of another.
        mutating func isLabels(_ path: String) -> Bool {
            // Whoever names a folder of labels means to read them.
            for folder in [path] + folders(of: path) where folder != base && isOfLabels(folder) { return true }
            let whole = VolumeListing.withoutEnding(path).lowercased()
            return LabelPairing.suffixes.contains { suffix in
                whole.hasSuffix(suffix)
                    && ["", "_img"].contains { files[whole.dropLast(suffix.count) + $0] != nil }
            }
        }

        private mutating func isOfLabels(_ folder: String) -> Bool {
            if let known = isLabelFolder[folder] { return known }
            let name = (folder as NSString).lastPathComponent.lowercased()
            let images = LabelPairing.folders.filter { $0.value.contains(name) }.keys
            let answer = !images.isEmpty && Self.siblings(of: folder).contains { images.contains($0.lowercased()) }
            isLabelFolder[folder] = answer
            return answer
        }

        /// The labels of an image: in a folder beside that of the images, else beside the image itself.
        mutating func labels(of image: String) throws -> String? {
            let whole = LabelPairing.nnUNetChannel(image)?.path ?? VolumeListing.withoutEnding(image)
            // A folder of sections, beside one of their labels.
            var candidates = labelFolders(beside: image)
            for folder in folders(of: image) where candidates.isEmpty {
                for partner in try labelFolders(of: folder) {
                    let path = partner + whole.dropFirst(folder.count)
                    candidates += ([""] + LabelPairing.suffixes).flatMap { files[(path + $0).lowercased()] ?? [] }
                }
            }
            if candidates.isEmpty {
                let bare = whole.lowercased().hasSuffix("_img") ? String(whole.dropLast(4)) : whole
                candidates = LabelPairing.suffixes.flatMap { files[(bare + $0).lowercased()] ?? [] }
            }
            guard candidates.count < 2 else {
                throw Ambiguity(
                    problem: "\(image) has two files of labels, \(candidates[0]) and \(candidates[1]); "
                        + "name the right one, as in {image: \"*.tif\", labels: \"*_masks.tif\"}")
            }
            return candidates.first
        }

        /// The folders of labels beside a folder of images, their files made known.
        private mutating func labelFolders(of folder: String) throws -> [String] {
            if let known = partners[folder] { return known }
            let found = labelFolders(beside: folder)
            for partner in found {
                for path in try VolumeListing(below: partner, search).paths {
                    let key = VolumeListing.withoutEnding(path).lowercased()
                    if files[key]?.contains(path) != true { files[key, default: []].append(path) }
                }
            }
            partners[folder] = found
            return found
        }

        /// `…/masks` of `…/images`, if it is there.
        private func labelFolders(beside folder: String) -> [String] {
            guard let names = LabelPairing.folders[(folder as NSString).lastPathComponent.lowercased()] else {
                return []
            }
            let parent = (folder as NSString).deletingLastPathComponent
            return Self.siblings(of: folder).filter { names.contains($0.lowercased()) }.map { parent + "/" + $0 }
        }

        private static func siblings(of folder: String) -> [String] {
            let parent = (folder as NSString).deletingLastPathComponent
            return ((try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []).filter {
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: parent + "/" + $0, isDirectory: &isFolder)
                    && isFolder.boolValue
            }
        }
    }
}
