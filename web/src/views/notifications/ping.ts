/** A short sound, made here: two soft tones. */

/** The result sounds; it is silent where the browser wants a click first. */
export function createPing(): () => void {
  let audio: AudioContext | undefined;
  return () => {
    if (typeof AudioContext === "undefined") return;
    audio ??= new AudioContext(); // browsers allow few, and none before there is something to say
    tone(audio, 660, audio.currentTime, 0.12);
    tone(audio, 880, audio.currentTime + 0.09, 0.2);
  };
}

function tone(audio: AudioContext, hertz: number, at: number, lastsS: number): void {
  const oscillator = audio.createOscillator();
  const volume = audio.createGain();
  oscillator.frequency.value = hertz;
  volume.gain.setValueAtTime(0.0001, at);
  volume.gain.exponentialRampToValueAtTime(0.08, at + 0.015);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + lastsS);
  oscillator.connect(volume).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + lastsS);
}
