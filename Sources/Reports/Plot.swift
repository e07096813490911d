import Foundation

/// A line chart: what a training's losses or a threshold's scores look like.
public struct Plot: Sendable {
    public struct Series: Sendable {
        public var name: String
        /// A value that is not finite breaks the line.
        public var points: [(x: Double, y: Double)]
        public var isDashed: Bool
        /// The series whose colour this one shares; nil for a colour of its own.
        public var colorOf: String?

        public init(
            name: String, points: [(x: Double, y: Double)], isDashed: Bool = false, colorOf: String? = nil
        ) {
            self.name = name
            self.points = points
            self.isDashed = isDashed
            self.colorOf = colorOf
        }
    }

    /// A vertical line that marks a choice.
    public struct Mark: Sendable {
        public var x: Double
        public var label: String

        public init(x: Double, label: String) {
            self.x = x
            self.label = label
        }
    }

    public var title: String
    public var xLabel: String
    public var yLabel: String
    public var series: [Series]
    public var mark: Mark?

    public init(title: String, xLabel: String, yLabel: String, series: [Series], mark: Mark? = nil) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.series = series
        self.mark = mark
    }

    /// The chart as a PNG file.
    public func png(width: Int = 860, height: Int = 420) -> Data {
        let canvas = Canvas(width: width, height: height)
        PlotDrawing(self, canvas).draw()
        return canvas.png()
    }
}

/// A chart being drawn.
private struct PlotDrawing {
    let plot: Plot
    let canvas: Canvas
    let xs, ys: ClosedRange<Double>
    let left = 74.0
    let top = 52.0
    let legend: Double
    let colors: [Color]

    init(_ plot: Plot, _ canvas: Canvas) {
        self.plot = plot
        self.canvas = canvas
        let points = plot.series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        xs = Self.range(of: points.map(\.x) + [plot.mark?.x].compactMap { $0 }, margin: 0)
        ys = Self.range(of: points.map(\.y), margin: 0.06)
        let widest = plot.series.map { canvas.textWidth($0.name, size: 12) }.max() ?? 0
        legend = plot.series.count > 1 ? min(widest + 52, Double(canvas.width) / 3) : 24
        colors = Self.colors(of: plot.series)
    }

    private static func colors(of series: [Plot.Series]) -> [Color] {
        var own: [String: Color] = [:]
        return series.map { series in
            if let other = series.colorOf, let color = own[other] { return color }
            let color = Color.series[own.count % Color.series.count]
            own[series.name] = color
            return color
        }
    }

    /// The range of values, widened by a share of it; never empty.
    private static func range(of values: [Double], margin: Double) -> ClosedRange<Double> {
        guard let low = values.min(), let high = values.max() else { return 0...1 }
        if low == high { return low - 0.5...high + 0.5 }
        return low - (high - low) * margin...high + (high - low) * margin
    }

    private var right: Double { Double(canvas.width) - legend }
    private var bottom: Double { Double(canvas.height) - 54 }
    private func x(_ value: Double) -> Double {
        left + (value - xs.lowerBound) / (xs.upperBound - xs.lowerBound) * (right - left)
    }
    private func y(_ value: Double) -> Double {
        bottom - (value - ys.lowerBound) / (ys.upperBound - ys.lowerBound) * (bottom - top)
    }

    func draw() {
        let title = canvas.fitting(plot.title, width: right - 20, size: 15, bold: true)
        canvas.text(title, 20, 28, size: 15, bold: true)
        drawAxes()
        drawMark()
        for (series, color) in zip(plot.series, colors) {
            let points = series.points.map { (x: x($0.x), y: y($0.y)) }
            canvas.line(points, color, width: 2, dashed: series.isDashed)
            let seen = points.filter { $0.x.isFinite && $0.y.isFinite }
            if seen.count <= 30, !series.isDashed {
                for point in seen { canvas.dot(point.x, point.y, radius: 3, color) }
            }
        }
        if plot.series.allSatisfy(\.points.isEmpty) {
            canvas.text("no data", (left + right) / 2, (top + bottom) / 2, size: 14, .quiet, align: .center)
        }
        if plot.series.count > 1 { drawLegend() }
    }

    private func drawAxes() {
        for tick in ticks(covering: ys, count: 6) {
            canvas.line([(left, y(tick)), (right, y(tick))], .line)
            canvas.text(plain(tick), left - 8, y(tick) + 4, size: 12, .quiet, align: .right)
        }
        for tick in ticks(covering: xs, count: 8) {
            canvas.line([(x(tick), bottom), (x(tick), bottom + 5)], .quiet)
            canvas.text(plain(tick), x(tick), bottom + 20, size: 12, .quiet, align: .center)
        }
        canvas.line([(left, bottom), (right, bottom)], .quiet)
        canvas.text(plot.xLabel, (left + right) / 2, bottom + 42, size: 13, align: .center)
        canvas.text(plot.yLabel, 22, (top + bottom) / 2, size: 13, align: .center, turned: true)
    }

    private func drawMark() {
        guard let mark = plot.mark, mark.x.isFinite else { return }
        let place = x(mark.x)
        canvas.line([(place, top), (place, bottom)], .ink, width: 1.5, dashed: true)
        let isRight = place > (left + right) / 2
        canvas.text(mark.label, place + (isRight ? -6 : 6), top + 10, size: 12, align: isRight ? .right : .left)
    }

    private func drawLegend() {
        for (index, (series, color)) in zip(plot.series, colors).enumerated() {
            let y = top + 12 + Double(index) * 20
            guard y < bottom else { return }
            canvas.line([(right + 14, y - 4), (right + 36, y - 4)], color, width: 2.5, dashed: series.isDashed)
            canvas.text(canvas.fitting(series.name, width: legend - 48, size: 12), right + 42, y, size: 12)
        }
    }
}
