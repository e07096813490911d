import Volumes

/// The keys of an entry that say what a network sees: `image` (a file, a pattern, or a list of them), `channel` or
/// `channels`, and `time`.
struct InputKeys {
    private let images: [YAMLValue]
    private let channels: [Int?]
    let time: Int?
    /// `time: all`.
    let isEveryTime: Bool

    /// - Throws: `PipelineFault`
    init(_ value: YAMLValue, _ keys: [String: YAMLValue], allowsEveryTime: Bool) throws {
        guard let image = keys["image"] else { throw value.fault("\(value.name) lacks 'image'") }
        images = try image.elements()
        guard !images.isEmpty else { throw image.misfit("a file, a pattern, or a list of them") }
        if let list = keys["channels"] {
            if keys["channel"] != nil { throw list.fault("\(value.name) has both 'channel' and 'channels'") }
            if images.count > 1 {
                throw list.fault("\(value.name) lists both several images and several channels; list one of them")
            }
            let chosen = try list.elements().map { try $0.integer(atLeast: 0, atMost: 65_535) }
            guard !chosen.isEmpty, Set(chosen).count == chosen.count else {
                throw list.misfit("a list of channels, each once, counted from 0")
            }
            channels = chosen
        } else {
            channels = [try keys["channel"]?.integer(atLeast: 0, atMost: 65_535)]
        }
        isEveryTime = allowsEveryTime && (try? keys["time"]?.text()) == "all"
        guard let chosen = keys["time"], !isEveryTime else {
            time = nil
            return
        }
        guard let number = try? chosen.integer(atLeast: 0, atMost: .max) else {
            throw chosen.misfit("a number counted from 0" + (allowsEveryTime ? ", or all" : ""))
        }
        time = number
    }

    /// Each volume that the first image names, with its inputs in order.
    ///
    /// - Throws: `PipelineFault` where there is none, or one of the other images is missing.
    func volumes(
        _ search: VolumeSearch, _ findings: inout FolderFindings
    ) throws -> [(image: ImagePaths.Found, inputs: [SourceLocation])] {
        let folder = search.folder
        let paths = try ImagePaths(images[0], search, entersFolders: false)
        findings.add(paths)
        return try paths.found.map { image in
            let first = SourceLocation(found: image.path, dataset: paths.dataset, relativeTo: folder)
            let files =
                [first]
                + (try images.dropFirst().map { try $0.partner(of: image, folder: folder, as: "second input") })
            let inputs = files.flatMap { file in
                channels.map { channel in
                    var input = file
                    input.selection = VolumeSelection(channel: channel, time: time)
                    return input
                }
            }
            return (image, inputs)
        }
    }
}
