/** State: the tensor that one compares with, and its picture. */
import { computed } from '@preact/signals';
import type { Answer, Picture } from '../api/client';
import type { StepAxis } from '../model/step-axis';
import { fields, type Readings } from './group';
import { answered, IDLE, type Loadable, loading, ready, settledIn, valueIn } from './loadable';

/** The series of another run that is compared with. */
export interface PartnerSeries {
  /** The series (`seriesKey`) that it is compared with. */
  of: string;
  run: string;
  tag: string;
  axis: StepAxis;
  steps: number[];
  version: string;
}

interface Compare {
  /** The newest that was found in another run. The address may mean another by now: see `partner`. */
  partner: Loadable<PartnerSeries>;
  /** The picture that is shown beside the one on the stage, or in turn with it. */
  beside: Loadable<Picture>;
  /** While two pictures take turns: whether the other one is in sight. */
  blinkOther: boolean;
}

const own = fields<Compare>({ partner: IDLE, beside: IDLE, blinkOther: false });
export const compare: Readings<Compare> = own;

export const partnerSeries = computed<PartnerSeries | null>(() => valueIn(own.partner.value));

export const besidePicture = computed<Picture | null>(() => valueIn(own.beside.value));

export function awaitPartner(): void {
  forgetPartnerProblem();
  own.partner.value = loading(own.partner.peek());
}

/** Takes the partner, or why there is none; one that was found before stays in use. */
export function takePartner(answer: Answer<PartnerSeries>): void {
  own.partner.value = answered(answer, own.partner.peek(), partnerSeries.peek());
}

/** Forgets why none was found. */
export function forgetPartnerProblem(): void {
  const last = partnerSeries.peek();
  own.partner.value = last ? ready(last) : IDLE;
}

export function awaitBeside(): void {
  own.beside.value = loading(own.beside.peek());
}

/** Takes the picture or the server's refusal. Where no answer came, what was in sight stays. */
export function takeBeside(answer: Answer<Picture>): void {
  const before = own.beside.peek();
  own.beside.value = answer.kind === 'unreachable' ? settledIn(before) : answered(answer, before);
}

export function forgetBeside(): void {
  own.beside.value = IDLE;
}

export function showBlinkOther(isOther: boolean): void {
  own.blinkOther.value = isOther;
}
