import Foundation
import Volumes

/// One plane through a volume and through several segmentations of it, side by side; pixels row by row.
///
/// An object has the colour of the one of the last segmentation, the truth say, that it shares most voxels with, unless
/// another shares more with that: what is split or merged changes its colour.
public struct Comparison: Sendable {
    /// A segmentation and what is said of it below its name.
    public struct Panel: Sendable {
        public var name: String
        public var caption: String
        public var labels: [UInt32]

        public init(name: String, caption: String, labels: [UInt32]) {
            self.name = name
            self.caption = caption
            self.labels = labels
        }
    }

    public var title: String
    /// The image, whose votes and labels are not drawn.
    public var plane: OverviewPlane
    public var panels: [Panel]

    public init(title: String, plane: OverviewPlane, panels: [Panel]) {
        precondition(panels.allSatisfy { $0.labels.count == plane.gray.count })
        self.title = title
        self.plane = plane
        self.panels = panels
    }

    /// The picture as a PNG file: the image, then each segmentation in its own colours over it.
    public func png() -> Data {
        let (widest, highest, margin, gap, head) = (400.0, 640.0, 28.0, 18.0, 120.0)
        let height = Double(plane.height) * plane.pixelSize.vertical
        let width = Double(plane.width) * plane.pixelSize.horizontal
        let scale = min(widest / width, highest / height)
        let size = (width: (width * scale).rounded(), height: (height * scale).rounded())
        // Captions want room beside a narrow picture.
        let panel = max(size.width, 360)
        let columns = Double(panels.count + 1)
        let canvas = Canvas(
            width: Int(2 * margin + columns * panel + (columns - 1) * gap), height: Int(head + size.height + margin)
        )
        let whole = Double(canvas.width) - 2 * margin
        canvas.text(canvas.fitting(title, width: whole, size: 22, bold: true), margin, 44, size: 22, bold: true)
        func draw(_ column: Int, _ name: String, _ caption: String, _ pixels: [UInt32]) {
            let x = margin + Double(column) * (panel + gap)
            canvas.text(canvas.fitting(name, width: panel, size: 15, bold: true), x, 82, size: 15, bold: true)
            canvas.text(canvas.fitting(caption, width: panel, size: 13), x, 104, size: 13, .quiet)
            canvas.image(pixels, width: plane.width, x, head, size.width, size.height)
            canvas.frame(x, head, size.width, size.height, .line)
        }
        draw(0, "Image", "\(plane.axis.rawValue) = \(plane.position)", plane.imagePixels)
        let numbered = panels.map { labels($0.labels, numberedLike: panels.last?.labels ?? []) }
        let colors = LabelColors(numbered.map { ($0, plane.width) })
        for (index, panel) in panels.enumerated() {
            draw(index + 1, panel.name, panel.caption, plane.regionPixels(of: numbered[index], colors))
        }
        return canvas.png()
    }
}

/// Labels with the numbers of those of a reference that they match, one to one, the largest overlap first; others have
/// numbers that no label of the reference has.
private func labels(_ labels: [UInt32], numberedLike reference: [UInt32]) -> [UInt32] {
    struct Pair: Hashable {
        var label, reference: UInt32
    }
    var overlaps: [Pair: Int] = [:]
    for (label, reference) in zip(labels, reference) where label != 0 && reference != 0 {
        overlaps[Pair(label: label, reference: reference), default: 0] += 1
    }
    let largestFirst = overlaps.sorted {
        ($1.value, $0.key.label, $0.key.reference) < ($0.value, $1.key.label, $1.key.reference)
    }
    var numbers: [UInt32: UInt32] = [0: 0]
    var taken: Set<UInt32> = []
    for (pair, _) in largestFirst where numbers[pair.label] == nil && !taken.contains(pair.reference) {
        numbers[pair.label] = pair.reference
        taken.insert(pair.reference)
    }
    let known = Set(reference)
    var free: UInt32 = 1
    for label in Set(labels).sorted() where numbers[label] == nil {
        while known.contains(free) { free += 1 }
        numbers[label] = free
        free += 1
    }
    return labels.map { numbers[$0] ?? 0 }
}
